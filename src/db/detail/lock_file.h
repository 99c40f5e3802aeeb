#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace trawl::db::detail {

// An flock()ed file: held until destruction, and given up by the kernel when the process dies.
class LockFile {
 public:
  // Fails with Errc::conflict when somebody holds it; the message names file, holder and cure.
  [[nodiscard]] static Result<LockFile> acquire(const std::filesystem::path& file);

  LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace trawl::db::detail
