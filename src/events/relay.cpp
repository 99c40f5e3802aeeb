#include "events/relay.h"

namespace trawl::events {
namespace {

// The smallest that a wire carries: NOTIFY of PostgreSQL.
constexpr std::size_t kMostBytes = 7'500;

std::string message_of(const Event& event, const std::string& node) {
  json::object out{{"n", node},
                   {"j", event.job.str()},
                   {"t", to_text(event.type)},
                   {"s", event.seq},
                   {"a", event.at.time_since_epoch().count()},
                   {"d", event.data}};
  std::string text = json::serialize(out);
  if (text.size() <= kMostBytes) return text;
  // A status stays a status: who listens for one looks at these two members.
  json::object shorter;
  for (const char* kept : {"state", "status", "final"}) {
    if (const auto* value = event.data.if_contains(kept)) shorter[kept] = *value;
  }
  out["d"] = std::move(shorter);
  return json::serialize(out);
}

template <class T>
std::optional<T> number(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value && value->is_int64() ? std::optional(static_cast<T>(value->get_int64())) : std::nullopt;
}

std::optional<std::string_view> text(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value && value->is_string() ? std::optional<std::string_view>(value->get_string()) : std::nullopt;
}

// Nothing for a message that is not of the form above: a node of another release may have sent it.
std::optional<Event> event_of(const json::object& message) {
  const auto job = text(message, "j"), type = text(message, "t");
  const auto seq = number<std::int64_t>(message, "s"), at = number<std::int64_t>(message, "a");
  const auto* data = message.if_contains("d");
  if (!job || !type || !seq || !at || !data || !data->is_object()) return std::nullopt;
  const auto id = JobId::parse(*job);
  const auto known = parse_enum<Type>(*type);
  if (!id || !known) return std::nullopt;
  return Event{.seq = *seq,
               .job = *id,
               .type = *known,
               .at = SystemTime(Millis(*at)),
               .data = data->get_object(),
               .elsewhere = true};
}

}  // namespace

Relay::Relay(Bus& bus, Wire& wire, std::string node) : bus_(bus), wire_(wire), node_(std::move(node)) {}

void Relay::start() {
  bus_.tap([this](const Event& event) { wire_.send(message_of(event, node_)); });
  wire_.start({.heard = [this](const std::string& message) { hear(message); },
               .missed = [this] { bus_.cut_off_all(); }});
}

void Relay::stop() {
  bus_.tap({});
  wire_.stop();
}

void Relay::hear(const std::string& message) {
  const auto parsed = parse_json(message);
  if (!parsed || !parsed->is_object()) return;
  const auto node = text(parsed->get_object(), "n");
  if (!node || *node == node_) return;
  if (const auto event = event_of(parsed->get_object())) bus_.publish(*event);
}

}  // namespace trawl::events
