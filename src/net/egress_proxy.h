#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "net/egress.h"

namespace trawl::net {

// The only way out for engine children: a filtering HTTP proxy on loopback (CONNECT and absolute
// form). Each job has a token, sent as the proxy's user name; without one the answer is 407.
//
// For every connection it resolves the name once, judges every answer, dials a judged literal and
// checks the peer. A refusal is a 403 and is remembered for the job, so that the job's error can
// say what was refused instead of "HTTP 403".
class EgressProxy {
 public:
  struct Options {
    std::size_t max_tunnels_per_job = 64;
    std::size_t max_header = 16 << 10;
    std::chrono::seconds connect_timeout{10};
    std::chrono::seconds idle_timeout{60};
  };

  // A job's permission to go out; dropping it closes the job's connections and forgets the token.
  class Pass {
   public:
    virtual ~Pass() = default;
    // "http://TOKEN:x@127.0.0.1:PORT"
    [[nodiscard]] virtual std::string proxy_url() const = 0;
    // The last connection this job was refused, if any: the error to report for it.
    [[nodiscard]] virtual std::optional<Error> refusal() const = 0;
    [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;
  };

  virtual ~EgressProxy() = default;
  [[nodiscard]] virtual Task<Result<void>> start() = 0;
  [[nodiscard]] virtual Task<void> stop() = 0;
  [[nodiscard]] virtual std::unique_ptr<Pass> admit() = 0;
};

[[nodiscard]] std::unique_ptr<EgressProxy> make_egress_proxy(asio::any_io_executor executor,
                                                             const EgressPolicy& policy,
                                                             EgressProxy::Options options);

// Resolves `host` and judges every address; the judged addresses, or Errc::forbidden
// ("address_not_allowed") if any is refused, Errc::unavailable ("dns_failed") if there is none.
[[nodiscard]] Task<Result<std::vector<boost::asio::ip::address>>> resolve_judged(const EgressPolicy& policy,
                                                                                 std::string host);

}  // namespace trawl::net
