#include "jobs/doorbell.h"

#include <fmt/format.h>

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;

// How soon a node that got room listens again.
constexpr auto kLookForRoom = 50ms;

bool says_ready(const events::Event& event) {
  if (event.type != events::Type::status) return false;
  const auto* state = event.data.if_contains("state");
  return state && state->is_string() && state->get_string() == to_text(State::queued);
}

int priority_of(const events::Event& event) {
  const auto* priority = event.data.if_contains("priority");
  return priority && priority->is_int64() ? static_cast<int>(priority->get_int64()) : 5;
}

}  // namespace

Doorbell::Doorbell(asio::any_io_executor executor, JobStore& store, events::Bus& bus, Wire* wire,
                   HasRoom has_room)
    : store_(store), bus_(bus), wire_(wire), has_room_(std::move(has_room)), scope_(executor) {}

void Doorbell::start() {
  scope_.spawn("doorbell", watch_bus());
  if (!wire_) return;
  wire_->deafen(!has_room_);
  wire_->start({.heard = [this](const std::string&) { store_.bell().ring(); },
                .missed = [this] { store_.bell().ring(); }});
  if (has_room_) scope_.spawn("doorbell room", watch_room());
}

Task<void> Doorbell::stop() {
  co_await scope_.close();
  if (wire_) wire_->stop();
}

Task<void> Doorbell::watch_bus() {
  auto events = bus_.subscribe(std::nullopt);
  while (!scope_.closing()) {
    const auto event = co_await events->next(10s);
    if (events->lagged()) {
      events = bus_.subscribe(std::nullopt);
      store_.bell().ring();  // Any of what was missed may have been a ring.
    }
    if (!event || !says_ready(*event)) continue;
    if (event->elsewhere && !wire_) store_.bell().ring();
    if (!event->elsewhere && wire_) wire_->send(fmt::format("{} {}", priority_of(*event), event->job.str()));
  }
}

Task<void> Doorbell::watch_room() {
  while (!scope_.closing()) {
    wire_->deafen(!has_room_());
    co_await sleep_for(kLookForRoom);
  }
}

}  // namespace trawl::jobs
