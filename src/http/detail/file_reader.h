#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "async/blocking_pool.h"
#include "async/task.h"
#include "base/result.h"
#include "http/message.h"

namespace trawl::http::detail {

// An open file, read in blocks on the pool's threads.
class FileReader {
 public:
  // Errc::not_found when there is no such regular file, Errc::conflict when it is shorter than the
  // body says, Errc::unavailable when it cannot be opened.
  [[nodiscard]] static Task<Result<std::unique_ptr<FileReader>>> open(BlockingPool& pool, FileBody body);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  [[nodiscard]] std::uint64_t remaining() const { return remaining_; }
  // The next block; empty at the end. Valid until the next call. Errc::unavailable when the disk
  // fails or the file has become shorter.
  [[nodiscard]] Task<Result<std::span<const char>>> next();

 private:
  FileReader(BlockingPool& pool, int file, std::uint64_t offset, std::uint64_t length);

  BlockingPool& pool_;
  int file_;
  std::uint64_t offset_;
  std::uint64_t remaining_;
  std::unique_ptr<char[]> block_;
};

}  // namespace trawl::http::detail
