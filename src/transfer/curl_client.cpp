#include "transfer/curl_client.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "net/resolve.h"
#include "transfer/detail/hop.h"

namespace trawl::transfer {
namespace {

std::unexpected<Error> stopped() {
  return fail(Errc::cancelled, "the transfer was stopped");
}

std::unexpected<Error> busy(const std::string& host) {
  return fail(Errc::rate_limited, fmt::format("all connections to {} that there may be are in use", host),
              kHostBusy);
}

// Runs a prepared hop. Cancelling the coroutine ends the hop; it is not left before the transfer
// thread has let go of the sink.
Task<CURLcode> perform(detail::TransferLoop& loop, std::shared_ptr<detail::Exchange> exchange) {
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(CURLcode)>(
      [&loop, exchange](auto handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) {
          slot.assign([&loop, exchange](asio::cancellation_type) {
            exchange->cancel();
            loop.look();
          });
        }
        auto executor = asio::get_associated_executor(handler);
        exchange->on_done = [executor, slot, work = asio::make_work_guard(executor),
                             handler = std::move(handler)](CURLcode code) mutable {
          asio::post(executor, [slot, work = std::move(work), handler = std::move(handler), code]() mutable {
            if (slot.is_connected()) slot.clear();
            std::move(handler)(code);
          });
        };
        loop.submit(exchange);
      },
      asio::use_awaitable);
}

}  // namespace

CurlClient::CurlClient(asio::any_io_executor executor, const net::EgressPolicy& policy, ClientLimits limits)
    : policy_(policy),
      limits_(std::move(limits)),
      trust_(detail::load_trust(limits_.ca_file)),
      caps_(executor, {.total = limits_.connections,
                       .per_host = limits_.connections_per_host,
                       .patience = limits_.place_timeout}),
      host_rates_(limits_.bytes_per_second_per_host) {
  if (limits_.bytes_per_second > 0) rate_ = std::make_shared<TokenBucket>(limits_.bytes_per_second);
}

Task<Result<Head>> CurlClient::perform_hop(std::shared_ptr<detail::Exchange> exchange, detail::Hop hop,
                                           bool extra, Stop stop) {
  if (auto judged = policy_.judge_connection(hop.url.host, hop.url.port); !judged)
    co_return fail(judged.error());
  const auto host = net::to_authority(hop.url);
  const auto place = extra ? caps_.try_acquire(host) : co_await caps_.acquire(host, stop);
  if (stop.is_set()) co_return stopped();
  if (!place) co_return busy(host);
  hop.host_rate = host_rates_.of(host);
  // A proxy resolves and judges by itself.
  if (!exchange->through_proxy()) {
    auto addresses =
        co_await net::resolve_judged(policy_, hop.url.host, hop.url.port, limits_.connect_timeout);
    if (!addresses) co_return fail(addresses.error());
    hop.addresses = std::move(*addresses);
  }
  if (!exchange->prepare(hop))
    co_return fail(Errc::unavailable, "curl has no memory for a request", "network_error");
  const auto subscription = stop.on_set([this, exchange] {
    exchange->cancel();
    loop_.look();
  });
  const CURLcode code = co_await perform(loop_, exchange);
  co_return exchange->outcome(code);
}

Task<Result<Head>> CurlClient::fetch(Request request, Sink& sink, const Stop& given, std::int64_t rate) {
  const Stop stop = given;
  auto url = net::parse_url(request.url);
  if (!url) co_return fail(url.error());
  const auto exchange = std::make_shared<detail::Exchange>(policy_, limits_, trust_, request, sink);
  if (!request.proxy.empty() && !exchange->through_proxy())
    co_return fail(Errc::internal, "the proxy of a request is not one of this process");
  exchange->limit_by(rate_);
  exchange->limit_by(request.shared_rate);
  if (rate > 0) exchange->limit_by(std::make_shared<TokenBucket>(rate));

  detail::Hop hop{.url = *url, .addresses = {}, .headers = detail::sendable(request.headers)};
  for (int redirects = 0;; ++redirects) {
    auto head = co_await perform_hop(exchange, hop, request.extra, stop);
    if (!head || !detail::is_redirect(*head) || request.post) co_return head;
    if (redirects == limits_.redirects) {
      co_return fail(Errc::unavailable, fmt::format("{} redirects too often", net::redact_url(request.url)),
                     "too_many_redirects");
    }
    auto next = detail::redirect_target(hop.url, head->header("location"));
    if (!next) co_return fail(next.error());
    if (!detail::same_origin(hop.url, *next)) detail::drop_credentials(hop.headers);
    hop.url = std::move(*next);
  }
}

std::unique_ptr<HttpClient> make_http_client(asio::any_io_executor executor, const net::EgressPolicy& policy,
                                             ClientLimits limits) {
  return std::make_unique<CurlClient>(std::move(executor), policy, std::move(limits));
}

}  // namespace trawl::transfer
