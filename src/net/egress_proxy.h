#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "net/egress.h"
#include "net/resolve.h"

namespace trawl::net {

// The only way out for engine children: a filtering HTTP proxy on loopback (CONNECT and absolute
// form). Each job has a token, sent as the proxy's user name; without one the answer is 407.
//
// For every connection it resolves the name once, judges every answer, dials a judged literal and
// checks the peer. A refusal is a 403 (400 for a malformed address, 429 for too many connections)
// with the reason in X-Trawl-Refused, and is remembered for the job, so that the job's error can
// say what was refused instead of "HTTP 403".
class EgressProxy {
 public:
  struct Options {
    std::size_t max_tunnels_per_job = 64;  // Connections of any kind.
    std::size_t max_connections = 4096;    // Of all jobs together; further ones are closed at once.
    std::size_t max_header = 16 << 10;
    std::chrono::seconds connect_timeout{10};  // For a name, then again for a connection.
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
    // Read from origins, headers included.
    [[nodiscard]] virtual std::uint64_t bytes_received() const = 0;
  };

  virtual ~EgressProxy() = default;  // After stop(), or without start().
  [[nodiscard]] virtual Task<Result<void>> start() = 0;
  // Ends every connection, whoever holds a Pass.
  [[nodiscard]] virtual Task<void> stop() = 0;
  // After start(). The Pass may outlive the proxy.
  [[nodiscard]] virtual std::unique_ptr<Pass> admit() = 0;
};

// `policy` outlives the proxy.
[[nodiscard]] std::unique_ptr<EgressProxy> make_egress_proxy(asio::any_io_executor executor,
                                                             const EgressPolicy& policy,
                                                             EgressProxy::Options options);

}  // namespace trawl::net
