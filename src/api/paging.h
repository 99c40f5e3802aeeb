#pragma once

#include <cstdint>

#include "base/result.h"
#include "http/message.h"

namespace trawl::api {

struct PageRequest {
  std::int64_t offset = 0;
  std::int64_t size = 20;
};

// Reads any of the paging spellings (API.md 6.3, C8): page with per_page, page_size or limit; skip
// or offset with limit. Sizes are 1..100. Errc::invalid names the parameter.
[[nodiscard]] Result<PageRequest> read_paging(const http::Request& request);

// A whole number in a query parameter, within [min, max].
[[nodiscard]] Result<std::int64_t> read_number(const http::Request& request, std::string_view name,
                                               std::int64_t fallback, std::int64_t min, std::int64_t max);

}  // namespace trawl::api
