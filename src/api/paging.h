#pragma once

#include <cstdint>

#include "base/describe.h"
#include "base/result.h"
#include "http/message.h"

namespace trawl::api {

struct PageRequest {
  std::int64_t offset = 0;
  std::int64_t size = 20;
};

// What every list says of the page it shows; lists are described with it as their base.
struct PageNumbers {
  std::int64_t page = 1, page_size = 20, total_pages = 0;
  bool has_next = false, has_previous = false;
};
BOOST_DESCRIBE_STRUCT(PageNumbers, (), (page, page_size, total_pages, has_next, has_previous))

[[nodiscard]] PageNumbers page_numbers(const PageRequest& paging, std::int64_t total);

// Reads any of the paging spellings (API.md 6.3, C8): page with per_page, page_size or limit; skip
// or offset with limit. Sizes are 1..100. Errc::invalid names the parameter.
[[nodiscard]] Result<PageRequest> read_paging(const http::Request& request);

// A whole number in a query parameter, within [min, max].
[[nodiscard]] Result<std::int64_t> read_number(const http::Request& request, std::string_view name,
                                               std::int64_t fallback, std::int64_t min, std::int64_t max);

}  // namespace trawl::api
