#include "transfer/segment_journal.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

// What is read is valid, and reads the same once more after it was written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto journal = trawl::transfer::parse_segment_journal(text);
  if (!journal) return 0;
  if (journal->next < 0 || journal->offset < 0 || (journal->next == 0 && journal->offset != 0)) std::abort();
  if (journal->hashed < 0 || journal->hashed > journal->offset) std::abort();
  if (trawl::transfer::parse_segment_journal(to_text(*journal)) != journal) std::abort();
  return 0;
}
