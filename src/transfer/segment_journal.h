#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/describe.h"
#include "base/json.h"
#include "media/part.h"

namespace trawl::transfer {

// How far a segmented part is on disk: the bytes before `offset` are synced and hold exactly the
// segments before `next`.
struct SegmentJournal {
  std::int64_t version = 0;
  std::string list;  // digest_of() the part that is being moved.
  std::int64_t next = -1;
  std::int64_t offset = -1;
  std::int64_t hashed = 0;   // Bytes from the beginning on, no more than `offset`, and the state of
  std::string sha256_state;  // their hash; empty if there is none.
  friend bool operator==(const SegmentJournal&, const SegmentJournal&) = default;
};
BOOST_DESCRIBE_STRUCT(SegmentJournal, (), (version, list, next, offset, hashed, sha256_state))

// A digest of all that decides the bytes of a part: of its segments, their order, ranges and keys.
[[nodiscard]] std::string digest_of(const media::Part& part);

// Nothing when the text is damaged or from another version: the part starts over.
[[nodiscard]] std::optional<SegmentJournal> parse_segment_journal(std::string_view text);
[[nodiscard]] std::string to_text(const SegmentJournal& journal);

// Where to go on, given a part file of `size` bytes. At the very beginning when the journal speaks of another
// list, of more segments than there are, or of bytes that the file does not have.
[[nodiscard]] SegmentJournal plan_segment_resume(const media::Part& part, std::string_view journal,
                                                 std::int64_t size);

}  // namespace trawl::transfer
