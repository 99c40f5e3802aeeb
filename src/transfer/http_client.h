#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "media/part.h"
#include "net/egress.h"
#include "transfer/stop.h"
#include "transfer/token_bucket.h"

namespace trawl::transfer {

// The reason of an error: this process has as many connections to the host as it may have.
inline constexpr std::string_view kHostBusy = "host_busy";

// As `last` of a range: up to the end, however long the file is.
inline constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();

// A GET, or a POST.
struct Request {
  std::string url;
  std::map<std::string, std::string> headers;
  std::vector<media::Cookie> cookies;
  std::optional<media::ByteRange> range;
  std::optional<std::string> if_range;  // An ETag with its quotes, or a date.
  // Makes it a POST with this body, whose type is in `headers`. A POST is not sent on: a redirect is
  // its answer, with a body that no sink sees.
  std::optional<std::string> post;
  // HTTP/1.1 on a connection of its own: several of these are faster than one HTTP/2 connection.
  // Without it requests to one origin share a connection where that speaks HTTP/2.
  bool own_connection = false;
  // One more for a file that others bring already. It does not wait for a place at its host: without one
  // that is free it fails.
  bool extra = false;
  // A bandwidth limit shared with other requests; from then on it belongs to the transfer thread.
  std::shared_ptr<TokenBucket> shared_rate;
  // The address of a net::EgressProxy::Pass to go through, which then resolves, judges and dials; empty:
  // straight to the origin.
  std::string proxy;
};

// What came before the body, of the last hop.
struct Head {
  int status = 0;
  std::map<std::string, std::string> headers;  // Names in lower case; repeated fields joined with ", ".
  std::string url;                             // Where redirects led to.

  // The field's value, or empty. `name` in lower case.
  [[nodiscard]] std::string_view header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }
};

// Takes an answer. Called on the transfer thread: quick, no waiting, and no touching of what belongs
// to the loop. An error ends the request and comes out of HttpClient::fetch() as it is.
class Sink {
 public:
  virtual ~Sink() = default;
  [[nodiscard]] virtual Result<void> begin(const Head& head) = 0;
  [[nodiscard]] virtual Result<void> data(std::span<const char> bytes) = 0;
  // False holds the answer back; it is asked again every few milliseconds.
  [[nodiscard]] virtual bool ready() const { return true; }
};

struct ClientLimits {
  std::size_t connections = 512;  // Of the process.
  std::size_t connections_per_host = 16;
  std::int64_t bytes_per_second = 0;           // Of the process; 0: no limit.
  std::int64_t bytes_per_second_per_host = 0;  // 0: no limit.
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds place_timeout{60};  // Waiting for one of those connections.
  std::chrono::seconds quiet_timeout{30};  // An answer that brings less than 1 KiB/s for this long.
  int redirects = 10;
  std::string ca_file;  // Certificates to trust besides those of the system; may be empty.
  std::function<void(std::size_t)> on_received{};  // Bytes of bodies, on the transfer thread.
};

// HTTP/1.1 and HTTP/2 with connections kept and shared by all jobs, on one thread of its own.
//
// Every hop (the request and each redirect) is resolved once, judged, and dialled at a judged literal
// address; curl's own resolver and proxy settings are off. Redirects to another origin lose Authorization
// and cookies out of scope. Bodies are asked for as identity; another encoding of a 200 or 206 is
// refused (Errc::unsupported, "unexpected_encoding"). Requests wait for a connection in the order they came.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Fails with the sink's error, Errc::forbidden (egress, "certificate_invalid"), unavailable
  // ("network_error", "tls_error", "truncated" when less came than was announced), timeout
  // ("origin_timeout"), rate_limited (kHostBusy), or cancelled. Any HTTP status is a success here: the sink's
  // begin() judges it. `sink` is not called any more once this returns. `rate`: bytes per second of this
  // request, 0: no limit.
  [[nodiscard]] virtual Task<Result<Head>> fetch(Request request, Sink& sink, const Stop& stop,
                                                 std::int64_t rate = 0) = 0;
  virtual void start() = 0;
  virtual void close() = 0;  // Cancels what is under way and joins the thread.
};

// Throws std::runtime_error when ca_file cannot be used.
[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(asio::any_io_executor executor,
                                                           const net::EgressPolicy& policy,
                                                           ClientLimits limits);

}  // namespace trawl::transfer
