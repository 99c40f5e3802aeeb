#include "remux/index_room.h"

#include <cmath>

namespace trawl::remux {
namespace {

// Of one packet: its size, its place in a chunk and that chunk's, and its times where they vary.
constexpr double kVideoPacket = 40;
constexpr double kAudioPacket = 32;
constexpr double kMargin = 1.3;
constexpr std::int64_t kRest = 64 * 1024;  // Tags, chapters, descriptions of the streams.
constexpr std::int64_t kMostWaste = 100;   // One byte in so many.

}  // namespace

std::int64_t room_for_index(std::span<const TrackSize> tracks, std::int64_t bytes) {
  double room = 0;
  for (const TrackSize& track : tracks) {
    if (!(track.packets > 0)) return 0;
    room += track.packets * (track.video ? kVideoPacket : kAudioPacket);
  }
  const double wanted = room * kMargin + static_cast<double>(kRest);
  return wanted * kMostWaste <= static_cast<double>(bytes) ? static_cast<std::int64_t>(std::ceil(wanted)) : 0;
}

}  // namespace trawl::remux
