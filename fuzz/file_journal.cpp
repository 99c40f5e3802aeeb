#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "transfer/journal.h"

// What is read is in order, and reads the same once more after it was written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto journal = trawl::transfer::parse_journal({reinterpret_cast<const char*>(data), size});
  if (!journal) return 0;
  std::int64_t at = -1;
  for (const auto& span : journal->done.list()) {
    if (span.first <= at || span.size() <= 0) std::abort();
    at = span.end;
  }
  if (journal->total && at > *journal->total) std::abort();
  if (journal->hash.bytes() > 0 && !journal->done.covers({0, journal->hash.bytes()})) std::abort();
  const auto text = to_text(*journal);
  const auto again = trawl::transfer::parse_journal(text);
  if (!again || to_text(*again) != text) std::abort();
  return 0;
}
