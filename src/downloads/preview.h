#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "downloads/lister.h"
#include "downloads/selection.h"

namespace trawl::downloads {

// A part of a playlist or channel as it would be downloaded.
struct Preview {
  media::Playlist playlist;
  std::vector<media::Entry> entries;  // Those of the page asked for.
  std::int64_t total = 0;             // In the playlist.
  std::int64_t matching = 0;          // Of these, what the selection takes.
};
BOOST_DESCRIBE_STRUCT(Preview, (), (playlist, entries, total, matching))

// Lists what `look` names and keeps the selected entries [offset, offset + size). Without filters the site is
// asked for no more than the page needs, when it says by itself how many entries there are.
[[nodiscard]] Task<Result<Preview>> preview(Lister& lister, Look look, Selection selection,
                                            std::int64_t offset, std::int64_t size);

}  // namespace trawl::downloads
