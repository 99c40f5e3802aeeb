#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace trawl {

// What went wrong, by what a caller can do about it. HTTP statuses and retry decisions follow from
// the code alone; `retryable` and `http_status` say how.
enum class Errc {
  invalid,       // The request itself is wrong; the same request will fail again.
  unauthorized,  // No or bad credentials.
  forbidden,     // Policy says no.
  not_found,
  conflict,     // The thing is not in a state that allows this, or a fence refused the write.
  too_large,    // A size limit was passed.
  unsupported,  // Nothing here can handle this kind of input.
  rate_limited,
  cancelled,    // Somebody asked for the work to stop.
  timeout,      // A deadline passed.
  unavailable,  // A peer or resource failed for now; trying again may help.
  no_space,     // The disk is full.
  internal,     // A bug or broken installation.
};

// Canonical text of a code, snake_case; also the default Error::reason.
[[nodiscard]] std::string_view to_string(Errc code);

// True when the same work may succeed later without anybody changing it.
[[nodiscard]] bool retryable(Errc code);

// The HTTP status an API answer for this code carries (RFC 9110).
[[nodiscard]] int http_status(Errc code);

struct Error {
  Errc code = Errc::internal;
  std::string message;  // For people: what was wrong, where, and what to do.
  std::string reason;   // Stable snake_case word for programs ("address_not_allowed"); never empty.

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

// `co_return fail(Errc::no_space, "cannot extend ...")`. An empty reason becomes to_string(code).
[[nodiscard]] std::unexpected<Error> fail(Errc code, std::string message, std::string_view reason = {});

// Passes an error on: `if (!x) return fail(x.error());`
[[nodiscard]] std::unexpected<Error> fail(Error error);

}  // namespace trawl
