#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "net/egress.h"
#include "net/upstream.h"

namespace trawl::net {

// The only way out for engine children: a filtering HTTP proxy on loopback (CONNECT and absolute
// form). Each job has a token, sent as the proxy's user name; without one the answer is 407.
//
// For every connection it resolves the name once, judges every answer, dials a judged literal and
// checks the peer. A refusal is a 403 (400 for a malformed address, 413 for too much traffic, 429 for too
// many connections) with the reason in X-Trawl-Refused, and is remembered for the job, so that the job's
// error can say what was refused instead of "HTTP 403".
//
// Behind it may stand an upstream proxy of the operator's choice. One that resolves names itself (http,
// socks5h) is asked only for names that do not resolve to a refused address here.
class EgressProxy {
 public:
  struct Options {
    std::size_t max_tunnels_per_job = 64;  // Connections of any kind.
    std::size_t max_connections = 4096;    // Of all jobs together; further ones are closed at once.
    std::size_t max_header = 16 << 10;
    std::chrono::seconds connect_timeout{10};  // For a name, then again for a connection.
    std::chrono::seconds idle_timeout{30};
    // An answer or a tunnel that moves fewer bytes than this in a window is closed.
    std::uint64_t min_bytes_per_window = 30 << 10;
    std::chrono::seconds pace_window{30};
    // Something of the operator's that jobs may ask, by plain HTTP, wherever it is.
    struct Service {
      std::string host;
      std::uint16_t port = 0;
    };
    std::optional<Service> service{};
    // Told of what the proxy itself turned away, for a job that had reached a limit; what the policy refuses
    // the policy tells of.
    std::function<void(std::string_view reason)> on_limit{};
  };

  // What a job may do.
  struct Terms {
    std::uint64_t max_bytes = 0;  // In both directions together, over all connections; 0: no limit.
    std::shared_ptr<const Upstream> upstream{};  // Null: straight to the origins.
    // Called for each refusal that is not the same as the one before, never after the Pass is gone.
    std::function<void(const Error&)> on_refusal{};
  };

  // Over all connections of a job, headers and TLS included.
  struct Traffic {
    std::uint64_t received = 0;  // From origins,
    std::uint64_t sent = 0;      // to them.
    std::uint64_t connections = 0;
  };

  // A job's permission to go out; dropping it closes the job's connections and forgets the token.
  class Pass {
   public:
    virtual ~Pass() = default;
    // "http://TOKEN:x@127.0.0.1:PORT"
    [[nodiscard]] virtual std::string proxy_url() const = 0;
    // Where this job finds the service: "http://NAME.invalid", empty when there is none. The name is random
    // and good for this job alone, so that no page can send it there.
    [[nodiscard]] virtual std::string service_url() const = 0;
    // The last connection this job was refused, if any: the error to report for it.
    [[nodiscard]] virtual std::optional<Error> refusal() const = 0;
    // What the upstream last failed with ("upstream_failed", "upstream_timeout"), if it did.
    [[nodiscard]] virtual std::optional<Error> upstream_failure() const = 0;
    [[nodiscard]] virtual Traffic traffic() const = 0;
  };

  // Of all jobs since the start.
  [[nodiscard]] virtual Traffic traffic() const = 0;

  virtual ~EgressProxy() = default;  // After stop(), or without start().
  [[nodiscard]] virtual Task<Result<void>> start() = 0;
  // Ends every connection, whoever holds a Pass.
  [[nodiscard]] virtual Task<void> stop() = 0;
  // After start(). The Pass may outlive the proxy.
  [[nodiscard]] virtual std::unique_ptr<Pass> admit(Terms terms) = 0;
};

// `policy` outlives the proxy, and is told the proxy's own port.
[[nodiscard]] std::unique_ptr<EgressProxy> make_egress_proxy(asio::any_io_executor executor,
                                                             EgressPolicy& policy,
                                                             EgressProxy::Options options);

}  // namespace trawl::net
