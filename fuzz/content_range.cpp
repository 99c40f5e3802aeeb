#include "transfer/content_range.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

// What is read is a range that lies within its total.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto range = trawl::transfer::parse_content_range({reinterpret_cast<const char*>(data), size});
  if (!range) return 0;
  if (range->first < 0 || range->last < range->first) std::abort();
  if (range->total && range->last >= *range->total) std::abort();
  return 0;
}
