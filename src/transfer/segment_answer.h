#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "media/part.h"
#include "transfer/http_client.h"

namespace trawl::transfer {

// What of a body is the segment.
struct Slice {
  std::int64_t skip = 0;
  std::optional<std::int64_t>
      length;             // Unknown only when the origin does not say and no range was asked for.
  bool then_end = false;  // More may follow and is not wanted; otherwise it is an error.
  friend bool operator==(const Slice&, const Slice&) = default;
};

// Decides what the answer to a request for a segment means.
//
// A ranged segment comes as 206 with exactly the range that was asked for, or is cut out of a 200 that
// holds the whole resource. Anything else fails: "origin_forbidden" (401, 403), "not_found" (404, 410),
// "rate_limited" (429), "origin_error" (other statuses), "wrong_range", "truncated" (the resource ends
// before the segment).
[[nodiscard]] Result<Slice> judge_segment_answer(const std::optional<media::ByteRange>& range,
                                                 const Head& head);

// False: the error is final. An origin's "no" (403, 404, 410) is asked about once more, since the edge
// of a CDN may lag behind, others as often as the budget allows.
[[nodiscard]] bool worth_a_retry(const Error& error, int attempt);

}  // namespace trawl::transfer
