#include "base/result.h"

namespace trawl {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::invalid:
      return "invalid_request";
    case Errc::unauthorized:
      return "unauthorized";
    case Errc::forbidden:
      return "forbidden";
    case Errc::not_found:
      return "not_found";
    case Errc::conflict:
      return "conflict";
    case Errc::too_large:
      return "too_large";
    case Errc::unsupported:
      return "unsupported";
    case Errc::rate_limited:
      return "rate_limited";
    case Errc::cancelled:
      return "cancelled";
    case Errc::timeout:
      return "timeout";
    case Errc::unavailable:
      return "unavailable";
    case Errc::no_space:
      return "no_space";
    case Errc::internal:
      return "internal_error";
  }
  return "internal_error";
}

bool retryable(Errc code) {
  switch (code) {
    case Errc::rate_limited:
    case Errc::timeout:
    case Errc::unavailable:
    case Errc::no_space:
      return true;
    default:
      return false;
  }
}

int http_status(Errc code) {
  switch (code) {
    case Errc::invalid:
      return 400;
    case Errc::unauthorized:
      return 401;
    case Errc::forbidden:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::conflict:
      return 409;
    case Errc::too_large:
      return 413;
    case Errc::unsupported:
      return 422;
    case Errc::rate_limited:
      return 429;
    case Errc::cancelled:
      return 409;
    case Errc::timeout:
      return 504;
    case Errc::unavailable:
      return 503;
    case Errc::no_space:
      return 507;
    case Errc::internal:
      return 500;
  }
  return 500;
}

std::unexpected<Error> fail(Errc code, std::string message, std::string_view reason) {
  return std::unexpected(
      Error{code, std::move(message), std::string(reason.empty() ? to_string(code) : reason)});
}

std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

}  // namespace trawl
