#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "async/event.h"
#include "async/scope.h"
#include "db/database.h"
#include "storage/storage.h"

namespace trawl::downloads {

// What is known about the room for downloads.
struct DiskState {
  using Time = std::chrono::steady_clock::time_point;

  bool room = true;
  // Since a download found the disk full: what was free then, and when that was.
  std::optional<std::int64_t> full_at;
  Time full_since{};
};

struct DiskLook {
  std::int64_t available = 0;
  bool database_short = false;  // The database lives on its reserve.
  bool found_full = false;      // A download has run out of space since the look before.
  DiskState::Time now{};
};

// There is no room below `low_bytes`, while the database is short of space, and after a download has
// found the disk full until more is free than then, or for a minute: another one may need less. A
// download that is too large for a disk with much left on it keeps nobody else from theirs.
[[nodiscard]] DiskState judge_disk(const DiskState& before, const DiskLook& look, std::int64_t low_bytes);

// Watches the disks, so that no download is started that would only fail for want of space: a full
// disk then costs nothing but waiting, neither attempts nor rows.
class DiskWatch {
 public:
  // `on_room` runs when there is room again.
  DiskWatch(asio::any_io_executor executor, storage::ArtifactStore& storage, db::Database& database,
            std::int64_t low_bytes, std::function<Task<void>()> on_room);

  void start();
  [[nodiscard]] Task<void> stop();

  [[nodiscard]] bool room() const { return state_.room && !found_full_; }
  // A download has found the disk full.
  void note_full();

 private:
  [[nodiscard]] Task<void> watch();
  [[nodiscard]] Task<void> look();

  storage::ArtifactStore& storage_;
  db::Database& database_;
  const std::int64_t low_bytes_;
  const std::function<Task<void>()> on_room_;
  DiskState state_;
  bool found_full_ = false;
  Event asked_;
  Scope scope_;
};

}  // namespace trawl::downloads
