#include "webhooks/progress_notes.h"

#include "webhooks/delivery.h"
#include "webhooks/outbox.h"
#include "webhooks/payload.h"

namespace trawl::webhooks {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

Task<void> ProgressNotes::watch() {
  auto events = bus_.subscribe(std::nullopt);
  while (true) {
    auto event = co_await events->next(1h);
    if (events->lagged()) {
      events = bus_.subscribe(std::nullopt);
      jobs_.clear();
    }
    if (!event) continue;
    if (event->type == events::Type::status && event->data.at("final").as_bool()) jobs_.erase(event->job);
    if (event->type != events::Type::progress) continue;
    if (!jobs_.contains(event->job)) co_await look_up(event->job);
    Watched& watched = jobs_[event->job];
    if (watched.webhook_url.empty() || watched.in_flight || steady_clock::now() < watched.next) continue;
    watched.next = steady_clock::now() + 1s;
    watched.in_flight = true;
    scope_.spawn("progress webhook", tell(std::move(*event), watched));
  }
}

Task<void> ProgressNotes::look_up(JobId job) {
  const auto found =
      co_await database_.read([job](db::Transaction& transaction) { return listener_of(transaction, job); });
  if (found && *found) jobs_[job] = {.webhook_url = (*found)->webhook_url, .url = (*found)->subject.url};
}

Task<void> ProgressNotes::tell(events::Event event, Watched listener) {
  const json::object body =
      payload("download.progress",
              {.job = event.job, .url = listener.url, .at = event.at, .progress = event.data}, "");
  const std::string id = message_id(DeliveryId::make(event.at));
  co_await poster_.post(listener.webhook_url, id, json::serialize(body));
  if (const auto found = jobs_.find(event.job); found != jobs_.end()) found->second.in_flight = false;
}

}  // namespace trawl::webhooks
