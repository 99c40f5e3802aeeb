#include "downloads/disk_watch.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"

namespace trawl::downloads {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto kLookEvery = 1s;
constexpr auto kTryAgain = 60s;
constexpr std::int64_t kMore = 1 << 20;  // What has to become free before a full disk is tried again.
constexpr std::int64_t kMuch = 64 << 20;

}  // namespace

DiskState judge_disk(const DiskState& before, const DiskLook& look, std::int64_t low_bytes) {
  DiskState now = before;
  if (look.found_full && look.available < std::max(low_bytes, kMuch)) {
    now.full_at = std::min(before.full_at.value_or(look.available), look.available);
    now.full_since = look.now;
  } else if (now.full_at &&
             (look.available >= *now.full_at + kMore || look.now - now.full_since >= kTryAgain)) {
    now.full_at.reset();
  }
  now.room = look.available >= low_bytes && !look.database_short && !now.full_at;
  return now;
}

DiskWatch::DiskWatch(asio::any_io_executor executor, storage::ArtifactStore& storage, db::Database& database,
                     std::int64_t low_bytes, std::function<Task<void>()> on_room)
    : storage_(storage),
      database_(database),
      low_bytes_(low_bytes),
      on_room_(std::move(on_room)),
      asked_(executor),
      scope_(executor) {}

void DiskWatch::start() {
  scope_.spawn("watch the disk", watch());
}

Task<void> DiskWatch::stop() {
  co_await scope_.close();
}

void DiskWatch::note_full() {
  found_full_ = true;
  asked_.notify_all();
}

Task<void> DiskWatch::watch() {
  while (true) {
    co_await look();
    co_await asked_.wait_for(kLookEvery);
  }
}

Task<void> DiskWatch::look() {
  const auto available = co_await storage_.available();
  if (!available) co_return log_warn("cannot look at the disk", {{"error", available.error().message}});
  // The database looks for space when it writes, which it may not do while nothing is begun.
  if (database_.short_of_space())
    (void)co_await database_.write([](db::Transaction&) { return Result<bool>(true); });
  const bool before = state_.room;
  state_ = judge_disk(state_,
                      {.available = *available,
                       .database_short = database_.short_of_space(),
                       .found_full = std::exchange(found_full_, false),
                       .now = steady_clock::now()},
                      low_bytes_);
  if (state_.room == before) co_return;
  const auto free = to_text(ByteCount{*available});
  if (state_.room) {
    log_info("there is room for downloads again", {{"available", free}});
    co_await on_room_();
  } else {
    log_warn("the disk is full: no download is started until there is room", {{"available", free}});
  }
}

}  // namespace trawl::downloads
