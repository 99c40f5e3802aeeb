#include "webhooks/service.h"

#include "net/admission.h"

namespace trawl::webhooks {
namespace {

transfer::ClientLimits client_limits(const Options& options) {
  transfer::ClientLimits limits;
  limits.connections = limits.connections_per_host = options.sender.at_once;
  limits.connect_timeout = options.poster.timeout;
  limits.ca_file = options.ca_file;
  return limits;
}

}  // namespace

Service::Service(asio::any_io_executor executor, db::Database& database, events::EventLog& log,
                 events::Bus& bus, const Clock& clock, Options options)
    : database_(database),
      clock_(clock),
      options_(std::move(options)),
      policy_({.allow_private_networks = options_.allow_private_networks}),
      client_(transfer::make_http_client(executor, policy_, client_limits(options_))),
      store_(database, executor),
      outbox_(store_, options_.public_url),
      poster_(*client_, clock, options_.poster),
      sender_(executor, store_, poster_, options_.sender),
      progress_(executor, bus, database, poster_) {
  if (!options_.enabled) return;
  log.observe([this](db::Transaction& transaction, const events::Event& event) {
    return outbox_.record(transaction, event);
  });
}

void Service::start() {
  if (!options_.enabled) return;
  client_->start();
  sender_.start();
  progress_.start();
}

Task<void> Service::stop() {
  co_await progress_.stop();
  co_await sender_.stop();
  client_->close();
}

Task<Result<void>> Service::admit(std::string url) {
  if (!options_.enabled)
    co_return fail(Errc::unsupported, "webhook_url: this server sends no webhooks (webhook.enabled)",
                   "webhooks_disabled");
  co_return co_await net::admit_url(policy_, std::move(url));
}

Task<Result<Delivery>> Service::test(std::string url, std::string tenant) {
  if (auto admitted = co_await admit(url); !admitted) co_return fail(admitted.error());
  const std::string at = to_iso8601(clock_.now());
  const json::object body{{"type", "webhook.test"},
                          {"event", "webhook.test"},
                          {"timestamp", at},
                          {"request_id", nullptr},
                          {"data", {{"message", "webhooks from Trawl arrive here"}, {"timestamp", at}}}};
  co_return co_await database_.write(
      [this, url = std::move(url), tenant = std::move(tenant), body](db::Transaction& transaction) {
        return store_.add(transaction,
                          {.job = {}, .tenant = tenant, .event = "webhook.test", .url = url, .body = body});
      });
}

}  // namespace trawl::webhooks
