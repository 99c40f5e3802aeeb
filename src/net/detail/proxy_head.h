#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/message.hpp>

#include "base/result.h"
#include "net/url.h"

namespace trawl::net::detail {

namespace http = boost::beast::http;

// How the end of a message's body is told.
enum class Framing { none, length, chunked, until_close };

struct BodyShape {
  Framing framing = Framing::none;
  std::optional<std::uint64_t> length;  // Printed as Content-Length; a HEAD answer has one without a body.
};

// The user name of "Proxy-Authorization: Basic ...", if there is one.
[[nodiscard]] std::optional<std::string> read_proxy_user(const http::fields& fields);

// False if the message has a transfer coding other than plain "chunked": it could not be passed on.
[[nodiscard]] bool can_pass_on(const http::fields& fields);

// The request as the origin gets it: origin-form target, Host from the URL, and no header that
// concerned only the way to the proxy.
[[nodiscard]] std::string origin_head(const http::request_header<>& request, const Url& url, BodyShape body,
                                      bool keep_alive);

// The response as the client gets it.
[[nodiscard]] std::string client_head(const http::response_header<>& response, BodyShape body,
                                      bool keep_alive);

// A whole answer of the proxy itself. Its status follows from the error's code; X-Trawl-Refused
// says which rule refused, if one did.
[[nodiscard]] std::string error_answer(const Error& error);

// True for errors that mean "this may not be done" rather than "it did not work".
[[nodiscard]] bool is_refusal(const Error& error);

}  // namespace trawl::net::detail
