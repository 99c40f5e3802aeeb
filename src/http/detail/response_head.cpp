#include "http/detail/response_head.h"

#include <algorithm>
#include <array>

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include "base/clock.h"
#include "http/detail/field_value.h"
#include "http/http_date.h"

namespace trawl::http::detail {
namespace {

constexpr std::array<std::string_view, 5> kFraming{"Content-Length", "Transfer-Encoding", "Connection",
                                                   "Keep-Alive", "Date"};

bool frames_message(std::string_view name) {
  return std::ranges::any_of(kFraming, [&](std::string_view own) { return same_token(own, name); });
}

void add(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

// The current second's Date, formatted once per second.
const std::string& date_now() {
  thread_local std::string text;
  thread_local std::chrono::sys_seconds made{};
  const auto now = std::chrono::floor<std::chrono::seconds>(SystemClock().now());
  if (text.empty() || now != made) {
    made = now;
    text = to_http_date(now);
  }
  return text;
}

// Connection, with the option that an Upgrade field needs beside it (RFC 9110 7.8).
std::string connection_options(const Response& response, const HeadContext& context) {
  std::string options;
  if (response.headers.find("Upgrade")) options = "upgrade";
  const std::string_view life = !context.keep_alive ? "close" : context.http_1_0 ? "keep-alive" : "";
  if (!life.empty()) options.append(options.empty() ? "" : ", ").append(life);
  return options;
}

}  // namespace

bool bodiless(int status) {
  return status < 200 || status == 204 || status == 304;
}

const Headers& default_headers() {
  static const Headers fields = [] {
    Headers out;
    out.set("X-Content-Type-Options", "nosniff");
    out.set("X-Frame-Options", "DENY");
    out.set("Referrer-Policy", "strict-origin-when-cross-origin");
    out.set("X-XSS-Protection", "1; mode=block");
    out.set("Content-Security-Policy", "default-src 'self'");
    out.set("Permissions-Policy", "geolocation=(), microphone=(), camera=()");
    return out;
  }();
  return fields;
}

std::string render_head(const Response& response, const HeadContext& context) {
  const auto reason = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(response.status)));
  std::string head;
  head.reserve(1024);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response.status,
                 std::string_view(reason.data(), reason.size()));
  for (const auto& [name, value] : response.headers.all()) {
    if (!frames_message(name)) add(head, safe_field_value(name), safe_field_value(value));
  }
  for (const auto& [name, value] : default_headers().all()) {
    if (!response.headers.find(name)) add(head, name, value);
  }
  add(head, "Date", date_now());
  if (!response.headers.find("X-Request-ID")) add(head, "X-Request-ID", context.request_id);
  add(head, "X-Process-Time",
      fmt::format("{:.6f}", std::chrono::duration<double>(context.process_time).count()));
  if (context.chunked && !context.http_1_0)
    add(head, "Transfer-Encoding", "chunked");
  else if (!context.chunked && !bodiless(response.status))
    add(head, "Content-Length", fmt::format_int(context.content_length).c_str());
  if (const std::string options = connection_options(response, context); !options.empty())
    add(head, "Connection", options);
  return head.append("\r\n");
}

}  // namespace trawl::http::detail
