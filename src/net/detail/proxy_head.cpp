#include "net/detail/proxy_head.h"

#include <algorithm>
#include <array>
#include <set>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/text.h"

namespace trawl::net::detail {
namespace {

using boost::beast::iequals;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 1024) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const auto padding = text.size() - (text.find_last_not_of('=') + 1);
  out.resize(static_cast<std::size_t>(size) - std::min(padding, static_cast<std::size_t>(size)));
  return out;
}

// RFC 9110 section 7.6.1, and what print_fields writes itself.
bool is_replaced(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kNames{
      "connection", "keep-alive", "te",   "trailer",        "transfer-encoding",
      "upgrade",    "expect",     "host", "content-length", "http2-settings"};
  return name.starts_with("proxy-") || std::ranges::find(kNames, name) != kNames.end();
}

std::set<std::string> connection_options(const http::fields& fields) {
  std::set<std::string> out;
  const auto [first, last] = fields.equal_range(http::field::connection);
  for (auto field = first; field != last; ++field) {
    for (const auto option : split(view(field->value()), ',')) out.insert(to_lower(trim(option)));
  }
  return out;
}

void print_fields(std::string& out, const http::fields& fields) {
  const auto dropped = connection_options(fields);
  for (const auto& field : fields) {
    const std::string name = to_lower(view(field.name_string()));
    if (is_replaced(name) || dropped.contains(name)) continue;
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", view(field.name_string()), view(field.value()));
  }
}

void print_end(std::string& out, BodyShape body, bool keep_alive) {
  if (body.framing == Framing::chunked)
    out += "Transfer-Encoding: chunked\r\n";
  else if (body.length)
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", *body.length);
  out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
}

std::string_view status_line(const Error& error) {
  if (error.reason == "header_too_large") return "431 Request Header Fields Too Large";
  switch (error.code) {
    case Errc::invalid:
      return "400 Bad Request";
    case Errc::unauthorized:
      return "407 Proxy Authentication Required";
    case Errc::forbidden:
      return "403 Forbidden";
    case Errc::too_large:
      return "413 Content Too Large";
    case Errc::rate_limited:
      return "429 Too Many Requests";
    case Errc::timeout:
      return "504 Gateway Timeout";
    default:
      return "502 Bad Gateway";
  }
}

}  // namespace

std::optional<std::string> read_proxy_user(const http::fields& fields) {
  constexpr std::string_view kBasic = "basic ";
  if (fields.count(http::field::proxy_authorization) != 1) return std::nullopt;
  const std::string_view value = view(fields[http::field::proxy_authorization]);
  if (value.size() <= kBasic.size() || !iequals(value.substr(0, kBasic.size()), kBasic)) return std::nullopt;
  auto credentials = decode_base64(trim(value.substr(kBasic.size())));
  if (!credentials) return std::nullopt;
  const auto colon = credentials->find(':');
  if (colon == std::string::npos) return std::nullopt;
  credentials->resize(colon);
  return credentials;
}

bool can_pass_on(const http::fields& fields) {
  const auto count = fields.count(http::field::transfer_encoding);
  return count == 0 || (count == 1 && iequals(fields[http::field::transfer_encoding], "chunked"));
}

std::string origin_head(const http::request_header<>& request, const Url& url, BodyShape body,
                        bool keep_alive) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", view(request.method_string()), url.target,
                                to_authority(url));
  print_fields(out, request);
  print_end(out, body, keep_alive);
  return out;
}

std::string client_head(const http::response_header<>& response, BodyShape body, bool keep_alive) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.result_int(), view(response.reason()));
  print_fields(out, response);
  print_end(out, body, keep_alive);
  return out;
}

std::string error_answer(const Error& error) {
  const std::string body = error.message + "\n";
  std::string out =
      fmt::format("HTTP/1.1 {}\r\nContent-Type: text/plain; charset=utf-8\r\n", status_line(error));
  if (error.code == Errc::unauthorized) out += "Proxy-Authenticate: Basic realm=\"trawl\"\r\n";
  if (is_refusal(error)) fmt::format_to(std::back_inserter(out), "X-Trawl-Refused: {}\r\n", error.reason);
  fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\nConnection: close\r\n\r\n{}", body.size(),
                 body);
  return out;
}

bool is_refusal(const Error& error) {
  return error.code == Errc::forbidden || error.code == Errc::invalid || error.code == Errc::rate_limited ||
         error.code == Errc::too_large;
}

}  // namespace trawl::net::detail
