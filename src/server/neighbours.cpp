#include "server/neighbours.h"

#include "db/notify_wire.h"
#include "redis/pubsub_wire.h"
#include "redis/streams_wire.h"
#include "sqs/sqs_wire.h"

namespace trawl::server {

Neighbours::Neighbours(asio::any_io_executor executor, const Config& config, events::Bus& bus,
                       jobs::JobStore& store, const std::string& node,
                       std::shared_ptr<aws::Credentials> broker_keys)
    : executor_(std::move(executor)), bus_(bus), store_(store) {
  if (!config.redis.url.empty()) {
    const auto address = redis::parse_url(config.redis.url).value();  // Was checked with the configuration.
    news_ = redis::make_pubsub_wire(address, executor_, "trawl:events");
    rings_ = redis::make_streams_wire(address, executor_, {.consumer = node});
  } else if (postgres_url(config.db.url)) {
    news_ = db::make_notify_wire(config.db.url, executor_, "trawl_events");
  }
  if (!config.broker.url.empty()) {
    rings_ = sqs::make_sqs_wire(sqs::parse_url(config.broker.url).value(), std::move(broker_keys), executor_);
  }
  if (news_) relay_.emplace(bus_, *news_, node);
}

void Neighbours::start(jobs::Doorbell::HasRoom has_room) {
  if (relay_) relay_->start();
  if (!news_ && !rings_) return;
  doorbell_.emplace(executor_, store_, bus_, rings_.get(), std::move(has_room));
  doorbell_->start();
}

Task<void> Neighbours::stop() {
  if (doorbell_) co_await doorbell_->stop();
  if (relay_) relay_->stop();
}

}  // namespace trawl::server
