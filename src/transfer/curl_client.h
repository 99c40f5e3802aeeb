#pragma once

#include <memory>

#include "transfer/detail/connection_caps.h"
#include "transfer/detail/exchange.h"
#include "transfer/detail/host_rates.h"
#include "transfer/detail/transfer_loop.h"
#include "transfer/http_client.h"

namespace trawl::transfer {

// The HttpClient on libcurl's multi interface.
class CurlClient final : public HttpClient {
 public:
  CurlClient(asio::any_io_executor executor, const net::EgressPolicy& policy, ClientLimits limits);
  ~CurlClient() override { close(); }

  [[nodiscard]] Task<Result<Head>> fetch(Request request, Sink& sink, const Stop& stop,
                                         std::int64_t rate) override;
  void start() override { loop_.start(); }
  void close() override { loop_.close(); }

 private:
  [[nodiscard]] Task<Result<Head>> perform_hop(std::shared_ptr<detail::Exchange> exchange, detail::Hop hop,
                                               bool extra, Stop stop);

  const net::EgressPolicy& policy_;
  const ClientLimits limits_;
  detail::Trust trust_;
  std::shared_ptr<TokenBucket> rate_;
  detail::ConnectionCaps caps_;
  detail::HostRates host_rates_;
  detail::TransferLoop loop_;
};

}  // namespace trawl::transfer
