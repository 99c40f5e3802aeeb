#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace trawl::http::detail {

struct RequestTarget {
  std::string path;  // "*" for the whole server.
  std::string query;
  friend bool operator==(const RequestTarget&, const RequestTarget&) = default;
};

// Takes a request target apart: origin form, absolute form (whose authority is dropped) and, for
// OPTIONS, "*". Errc::invalid for anything else.
[[nodiscard]] Result<RequestTarget> parse_target(std::string_view method, std::string_view target);

}  // namespace trawl::http::detail
