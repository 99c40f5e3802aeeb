#include "webhooks/sender.h"

#include <algorithm>
#include <random>

#include "base/log.h"
#include "net/url.h"

namespace trawl::webhooks {
namespace {

using namespace std::chrono_literals;

double random_unit() {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

}  // namespace

void Sender::start() {
  scope_.spawn("deliver webhooks", deliver_what_is_due());
  scope_.spawn("prune webhooks", prune_regularly());
}

Task<void> Sender::deliver_what_is_due() {
  while (true) {
    auto place = co_await places_.acquire();
    auto due = co_await store_.claim(1, options_.lease);
    if (!due) log_error("cannot look for webhooks to send", {{"error", due.error().message}});
    if (!due || due->empty()) {
      co_await wait_for_work();
      continue;
    }
    scope_.spawn("webhook", attempt(std::move(due->front()), std::move(place)));
  }
}

// The bell may be lost and other nodes may add work: a look now and then finds it.
Task<void> Sender::wait_for_work() {
  const auto next = co_await store_.next_due();
  Millis pause = 5s;
  if (next && *next) pause = std::clamp(**next, Millis(10), Millis(5s));
  co_await store_.bell().wait_for(pause);
}

Task<void> Sender::attempt(Delivery delivery, Semaphore::Permit place) {
  const Semaphore::Permit held = std::move(place);
  const Outcome outcome = co_await poster_.post(delivery.url, message_id(delivery.id), delivery.body);
  const Verdict verdict = judge(outcome, delivery.attempts + 1, options_.schedule, random_unit());
  if (verdict.fate != Fate::delivered) {
    log_warn("a webhook was not accepted", {{"delivery", delivery.id.str()},
                                            {"job", delivery.job},
                                            {"event", delivery.event},
                                            {"url", net::redact_url(delivery.url)},
                                            {"status", std::int64_t{outcome.status}},
                                            {"error", outcome.error},
                                            {"again", verdict.fate == Fate::retry}});
  }
  const auto settled = co_await store_.settle(std::move(delivery), outcome, verdict);
  if (!settled) log_error("a webhook's outcome was not recorded", {{"error", settled.error().message}});
}

Task<void> Sender::prune_regularly() {
  while (true) {
    if (const auto pruned = co_await store_.prune(options_.keep); !pruned)
      log_error("old webhooks could not be removed", {{"error", pruned.error().message}});
    co_await sleep_for(1h);
  }
}

}  // namespace trawl::webhooks
