#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace trawl::http::detail {

// What the connection adds to a response.
struct HeadContext {
  std::string_view request_id = {};
  std::chrono::steady_clock::duration process_time{};
  std::uint64_t content_length = 0;
  bool chunked =
      false;  // The length is not known beforehand; for HTTP/1.0 the end of the connection ends it.
  bool keep_alive = true;
  bool http_1_0 = false;
};

// Statuses whose responses end with the head (RFC 9112 6.3).
[[nodiscard]] bool bodiless(int status);

// The status line and header, with the defaults the handler did not set: the security headers, Date,
// X-Request-ID and X-Process-Time. The fields that frame the message are always the server's own.
[[nodiscard]] std::string render_head(const Response& response, const HeadContext& context);

// The name and value of each header that every answer carries unless the handler chose its own.
[[nodiscard]] const Headers& default_headers();

}  // namespace trawl::http::detail
