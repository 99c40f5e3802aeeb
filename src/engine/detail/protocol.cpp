#include "engine/detail/protocol.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace trawl::engine {
namespace {

constexpr std::array<std::pair<std::string_view, Errc>, 13> kCodes{{{"invalid", Errc::invalid},
                                                                    {"unauthorized", Errc::unauthorized},
                                                                    {"forbidden", Errc::forbidden},
                                                                    {"not_found", Errc::not_found},
                                                                    {"conflict", Errc::conflict},
                                                                    {"too_large", Errc::too_large},
                                                                    {"unsupported", Errc::unsupported},
                                                                    {"rate_limited", Errc::rate_limited},
                                                                    {"cancelled", Errc::cancelled},
                                                                    {"timeout", Errc::timeout},
                                                                    {"unavailable", Errc::unavailable},
                                                                    {"no_space", Errc::no_space},
                                                                    {"internal", Errc::internal}}};

// Seconds; nobody waits for longer than a year.
constexpr std::int64_t kLongestWait = 366 * 24 * 3600;

struct WireError {
  std::string code, reason, message, extractor;
  std::optional<std::int64_t> retry_after;
};
BOOST_DESCRIBE_STRUCT(WireError, (), (code, reason, message, extractor, retry_after))

Result<Failed> decode_failed(const json::object& message) {
  const auto* field = message.if_contains("error");
  const auto wire = decode_own<WireError>(field ? *field : json::value(), "error of an engine message");
  if (!wire) return fail(wire.error());
  const auto code =
      std::ranges::find(kCodes, std::string_view(wire->code), [](const auto& pair) { return pair.first; });
  if (code == kCodes.end())
    return fail(Errc::internal, "an engine message has the unknown error code " + wire->code);
  Failed out{.error = fail(code->second, wire->message, wire->reason).error(), .extractor = wire->extractor};
  if (wire->retry_after)
    out.retry_after = std::chrono::seconds(std::clamp<std::int64_t>(*wire->retry_after, 0, kLongestWait));
  return out;
}

// The object a message is, and its event.
struct Message {
  json::object body;
  std::string event;
};

Result<Message> parse(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return fail(Errc::internal, "an engine message is not JSON: " + value.error().message);
  auto* body = value->if_object();
  const auto* event = body ? body->if_contains("event") : nullptr;
  if (!event || !event->is_string()) return fail(Errc::internal, "an engine message has no event");
  std::string name(event->get_string());
  body->erase("event");
  return Message{std::move(*body), std::move(name)};
}

template <class Event, class T>
Result<Event> as(Result<T> decoded) {
  if (!decoded) return fail(decoded.error());
  return Event(std::move(*decoded));
}

// Every member must be there: a default in its place would hide that the two sides differ.
template <class T>
Result<T> body_of(const Message& message) {
  std::string_view missing;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    if (!message.body.contains(member.name)) missing = member.name;
  });
  if (!missing.empty())
    return fail(Errc::internal, fmt::format("engine message {} has no {}", message.event, missing));
  return decode_own<T>(message.body, "engine message " + message.event);
}

}  // namespace

Result<HostEvent> decode_host_event(std::string_view text) {
  const auto message = parse(text);
  if (!message) return fail(message.error());
  if (message->event == "ready") return as<HostEvent>(body_of<Ready>(*message));
  if (message->event == "unusable") return as<HostEvent>(body_of<Unusable>(*message));
  if (message->event == "started") return as<HostEvent>(body_of<Started>(*message));
  if (message->event == "not_started") return as<HostEvent>(body_of<NotStarted>(*message));
  if (message->event == "exited") return as<HostEvent>(body_of<Exited>(*message));
  return fail(Errc::internal, "the engine host sent an unknown event " + message->event);
}

Result<ChildEvent> decode_child_event(std::string_view text) {
  const auto message = parse(text);
  if (!message) return fail(message.error());
  if (message->event == "log") return as<ChildEvent>(body_of<LogLine>(*message));
  if (message->event == "progress") return as<ChildEvent>(body_of<Moved>(*message));
  if (message->event == "step") return as<ChildEvent>(body_of<Step>(*message));
  if (message->event == "resolved") return as<ChildEvent>(body_of<Resolved>(*message));
  if (message->event == "listed") return as<ChildEvent>(body_of<media::Listed>(*message));
  if (message->event == "promise") return as<ChildEvent>(body_of<Promise>(*message));
  if (message->event == "promised") return ChildEvent(Promised{});
  if (message->event == "transferred") return ChildEvent(Transferred{});
  if (message->event == "finished") return as<ChildEvent>(body_of<Finished>(*message));
  if (message->event == "failed") return as<ChildEvent>(decode_failed(message->body));
  return fail(Errc::internal, "an engine child sent an unknown event " + message->event);
}

}  // namespace trawl::engine
