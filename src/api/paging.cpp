#include "api/paging.h"

#include <charconv>

#include <fmt/format.h>

namespace trawl::api {

Result<std::int64_t> read_number(const http::Request& request, std::string_view name, std::int64_t fallback,
                                 std::int64_t min, std::int64_t max) {
  const auto text = request.query_param(name);
  if (!text) return fallback;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size() || number < min || number > max) {
    return fail(Errc::invalid, fmt::format("{} must be a whole number between {} and {}", name, min, max),
                "validation_error");
  }
  return number;
}

PageNumbers page_numbers(const PageRequest& paging, std::int64_t total) {
  return {.page = paging.offset / paging.size + 1,
          .page_size = paging.size,
          .total_pages = (total + paging.size - 1) / paging.size,
          .has_next = paging.offset + paging.size < total,
          .has_previous = paging.offset > 0};
}

Result<PageRequest> read_paging(const http::Request& request) {
  constexpr std::int64_t kFar = 1'000'000'000;
  PageRequest paging;
  for (const char* name : {"limit", "page_size", "per_page"}) {
    const auto size = read_number(request, name, paging.size, 1, 100);
    if (!size) return fail(size.error());
    paging.size = *size;
  }
  const auto page = read_number(request, "page", 1, 1, kFar / 100);
  if (!page) return fail(page.error());
  paging.offset = (*page - 1) * paging.size;
  for (const char* name : {"offset", "skip"}) {
    const auto offset = read_number(request, name, paging.offset, 0, kFar);
    if (!offset) return fail(offset.error());
    paging.offset = *offset;
  }
  return paging;
}

}  // namespace trawl::api
