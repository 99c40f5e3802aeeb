#include "transfer/detail/hop.h"

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <memory>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::transfer::detail {
namespace {

// In lower case.
constexpr std::array<std::string_view, 14> kOwnHeaders = {"host",
                                                          "range",
                                                          "if-range",
                                                          "accept-encoding",
                                                          "cookie",
                                                          "connection",
                                                          "keep-alive",
                                                          "te",
                                                          "trailer",
                                                          "upgrade",
                                                          "expect",
                                                          "transfer-encoding",
                                                          "proxy-authorization",
                                                          "content-length"};

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").contains(static_cast<char>(c));
  });
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

bool is_redirect(const Head& head) {
  switch (head.status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return !head.header("location").empty();
    default:
      return false;
  }
}

Result<net::Url> redirect_target(const net::Url& base, std::string_view location) {
  const std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)> url(::curl_url(), &::curl_url_cleanup);
  const std::string from = net::to_string(base);
  const std::string to(location);
  char* text = nullptr;
  const unsigned flags = CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME;
  if (!url || ::curl_url_set(url.get(), CURLUPART_URL, from.c_str(), 0) != CURLUE_OK ||
      ::curl_url_set(url.get(), CURLUPART_URL, to.c_str(), flags) != CURLUE_OK ||
      ::curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0) != CURLUE_OK ||
      ::curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) {
    return fail(Errc::forbidden, "the origin redirects to something that is not a URL",
                "redirect_not_allowed");
  }
  auto target = net::parse_url(text);
  ::curl_free(text);
  if (target) return target;
  return fail(
      Errc::forbidden,
      fmt::format("the origin redirects to an address that cannot be used: {}", target.error().message),
      "redirect_not_allowed");
}

bool same_origin(const net::Url& a, const net::Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

std::map<std::string, std::string> sendable(const std::map<std::string, std::string>& headers) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : headers) {
    if (!is_token(name) || has_control(value)) continue;
    if (std::ranges::find(kOwnHeaders, to_lower(name)) != kOwnHeaders.end()) continue;
    out.emplace(name, value);
  }
  return out;
}

void drop_credentials(std::map<std::string, std::string>& headers) {
  std::erase_if(headers, [](const auto& field) { return to_lower(field.first) == "authorization"; });
}

std::string cookie_line(const media::Cookie& cookie) {
  for (const std::string* part : {&cookie.name, &cookie.value, &cookie.domain, &cookie.path}) {
    if (has_control(*part) || part->contains(';')) return {};
  }
  if (cookie.name.empty() || cookie.domain.empty()) return {};
  const std::string_view path = cookie.path.starts_with('/') ? std::string_view(cookie.path) : "/";
  return fmt::format("{}{}\t{}\t{}\t{}\t0\t{}\t{}", cookie.host_only ? "" : ".", cookie.domain,
                     cookie.host_only ? "FALSE" : "TRUE", path, cookie.secure ? "TRUE" : "FALSE", cookie.name,
                     cookie.value);
}

}  // namespace trawl::transfer::detail
