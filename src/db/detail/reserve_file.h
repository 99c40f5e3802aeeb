#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>

namespace trawl::db::detail {

// Disk space that is kept for the database, in a file beside it, and given up when the disk is full:
// then what is under way can still be settled, although nothing new should begin.
//
// Used on one thread; given_up() may be asked on any.
class ReserveFile {
 public:
  explicit ReserveFile(std::filesystem::path file);

  // Looks at the disk: gives the reserve up before the last of the space beside it is gone, takes it
  // again when there is plenty. Costs one system call when nothing changes.
  void adjust();
  void give_up();

  [[nodiscard]] bool given_up() const { return given_up_; }

 private:
  void take(std::int64_t size);
  [[nodiscard]] bool may_try();

  const std::filesystem::path file_;
  bool held_ = false;
  std::chrono::steady_clock::time_point next_try_{};
  std::atomic<bool> given_up_ = false;
};

}  // namespace trawl::db::detail
