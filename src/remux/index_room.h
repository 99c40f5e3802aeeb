#pragma once

#include <cstdint>
#include <span>

namespace trawl::remux {

// What is known of a stream before it is copied.
struct TrackSize {
  bool video = false;
  double packets = 0;
};

// How much room to leave at the start of an MP4 file of about `bytes` for its index, so that the file is
// written once; without room it is written, read and written again to make some. Generous, because an
// index that does not fit costs a second copy. 0 when such room would waste too much of the file.
[[nodiscard]] std::int64_t room_for_index(std::span<const TrackSize> tracks, std::int64_t bytes);

}  // namespace trawl::remux
