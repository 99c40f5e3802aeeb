#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "async/blocking_pool.h"
#include "async/event.h"
#include "async/scope.h"
#include "transfer/detail/part_file.h"
#include "transfer/prefix_hash.h"

namespace trawl::transfer::detail {

// Hashes a part file behind the writers, while what they wrote is still in memory. On the loop.
class FileHash {
 public:
  // `prefix` says how many bytes from the beginning on have been written; `hashed` is told how many of them
  // have been hashed, and 0 when they do not count any more.
  FileHash(asio::any_io_executor executor, BlockingPool& files, const PartFile& file,
           std::function<std::int64_t()> prefix, std::function<void(std::int64_t)> hashed)
      : files_(files),
        file_(file),
        prefix_(std::move(prefix)),
        hashed_(std::move(hashed)),
        scope_(executor),
        look_(std::move(executor)) {}

  // Goes on from `from`. Without this call nothing is hashed.
  void start(PrefixHash from);
  // More may have been written.
  void look() { look_.notify_all(); }
  // What was written so far does not count any more.
  void forget();
  // As far as hashing has come; what it speaks of has been written.
  [[nodiscard]] const PrefixHash& done() const { return done_; }

  // The file has `total` bytes: hashes the rest in the background.
  void complete(std::int64_t total);
  // Waits for that; empty when nothing was started or the file could not be read.
  [[nodiscard]] Task<std::string> digest();
  // To be awaited before destruction.
  [[nodiscard]] Task<void> end();

 private:
  [[nodiscard]] Task<void> follow();
  [[nodiscard]] std::int64_t next_stop() const;

  BlockingPool& files_;
  const PartFile& file_;
  std::function<std::int64_t()> prefix_;
  std::function<void(std::int64_t)> hashed_;
  Scope scope_;
  Event look_;
  PrefixHash done_;
  std::optional<std::int64_t> total_;
  int generation_ = 0;
  bool started_ = false, ended_ = false, failed_ = false;
};

}  // namespace trawl::transfer::detail
