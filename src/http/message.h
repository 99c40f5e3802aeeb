#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "async/task.h"
#include "base/json.h"
#include "base/result.h"

namespace trawl::http {

// Header fields in order; names compare without case.
class Headers {
 public:
  void set(std::string name, std::string value);  // Replaces.
  // Joins `value` to a field of that name with a comma (RFC 9110 5.3), or sets it.
  void append(std::string name, std::string value);
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Who sends a request, as the gate before the routes found out (http/router.h).
struct Caller {
  std::string key;    // The id of the API key; empty when there was none.
  std::string level;  // What they may do, in the words of access/scopes.h; empty: what anybody may.
  std::string owner;  // Whose jobs, files and cookies these are to be; empty: nobody's in particular.
  bool sees_all = false;

  // Whether what belongs to `other` exists for this caller.
  [[nodiscard]] bool sees(std::string_view other) const { return sees_all || owner == other; }
};

// The body of a request while it arrives.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next piece, of 16 KiB or more but for the last one; nothing at the end. Each has to arrive within
  // the server's read timeout: Errc::timeout. Errc::invalid when it is malformed, Errc::unavailable when the
  // peer has gone. Of no use any more once the handler has answered.
  [[nodiscard]] virtual Task<Result<std::optional<std::string>>> next() = 0;
};

struct Request {
  std::string method;  // "GET"
  std::string path;    // Percent-encoded as received, without the query.
  std::string query;   // Without "?".
  Headers headers;
  std::string body;
  std::shared_ptr<BodySource> stream;  // In place of `body`, for routes that take it so (Endpoint::streamed).
  std::string remote;  // The peer's address, without the port; IPv4 even on a dual-stack socket.
  std::string id;      // The request id, also sent back as X-Request-ID.
  Caller caller;
  std::map<std::string, std::string, std::less<>> path_params;  // Percent-decoded, set by the router.

  // The value of `{name}` in the matched pattern; empty when the pattern has none.
  [[nodiscard]] const std::string& path_param(std::string_view name) const;
  // The decoded value of the first query parameter of that name.
  [[nodiscard]] std::optional<std::string> query_param(std::string_view name) const;
};

// A part of a file, streamed from disk.
struct FileBody {
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// A body that is made while it is sent, in chunks (RFC 9112 7.1) unless its length is known. It is asked for
// a piece when the peer has taken the one before it, so nothing piles up for a slow reader; one that takes
// none for ServerOptions::stream_send_limit is dropped.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // The next piece, not empty; nothing at the end. An error cuts the answer short.
  [[nodiscard]] virtual Task<Result<std::optional<std::string>>> next() = 0;
  // The peer has gone or the server stops: next(), also one that waits already, says the end soon.
  // May be called again.
  virtual void stop() = 0;
  // How many bytes there will be, exactly; nothing when it is not known.
  [[nodiscard]] virtual std::optional<std::uint64_t> length() const { return std::nullopt; }
};

struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, FileBody, std::shared_ptr<BodyStream>> body;
};

// An answer with a JSON body.
[[nodiscard]] Response json_response(int status, const json::value& body);

// The one error body of the API (API.md 6.3, C2): {error, error_code, message, detail, details,
// status_code, request_id, timestamp}. `problems` become `detail` as an array of {loc, msg, type}.
[[nodiscard]] Response error_response(const Request& request, int status, std::string_view code,
                                      std::string_view message, const std::vector<Problem>& problems = {});
// The same for an Error, with the status of its code.
[[nodiscard]] Response error_response(const Request& request, const Error& error);

}  // namespace trawl::http
