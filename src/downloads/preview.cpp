#include "downloads/preview.h"

#include <algorithm>

namespace trawl::downloads {
namespace {

bool takes_everything(const Selection& selection) {
  return encode(selection) == encode(Selection{});
}

}  // namespace

Task<Result<Preview>> preview(Lister& lister, Look asked, Selection selection, std::int64_t offset,
                              std::int64_t size) {
  if (auto checked = check_selection(selection); !checked) co_return fail(checked.error());
  const bool everything = takes_everything(selection);
  const Selector selector(std::move(selection));
  const std::int64_t most = selector.selection().max_downloads.value_or(INT64_MAX);
  const std::int64_t end = std::min(offset + size, most);
  Preview out;
  FirstEntries first(selector, static_cast<std::size_t>(end));

  const auto look = [&](media::Listed page) -> Task<Result<bool>> {
    out.playlist = std::move(page.playlist);
    for (media::Entry& entry : page.entries) {
      out.total = std::max(out.total, entry.index);
      if (!selector.wants(entry)) continue;
      const std::int64_t place = out.matching++;
      if (selector.reorders())
        first.offer(std::move(entry));
      else if (place >= offset && place < end)
        out.entries.push_back(std::move(entry));
    }
    if (everything && out.playlist.playlist_count && out.matching >= end) {
      out.total = out.matching = std::min(*out.playlist.playlist_count, lister.limits().max_entries);
      co_return false;
    }
    co_return true;
  };
  if (auto read = co_await lister.read(std::move(asked), look); !read) co_return fail(read.error());
  if (selector.reorders()) {
    out.entries = first.take();
    const auto skipped = std::min<std::int64_t>(offset, std::ssize(out.entries));
    out.entries.erase(out.entries.begin(), out.entries.begin() + skipped);
  }
  out.matching = std::min(out.matching, most);
  co_return out;
}

}  // namespace trawl::downloads
