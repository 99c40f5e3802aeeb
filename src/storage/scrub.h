#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/event.h"
#include "async/scope.h"
#include "storage/detail/scrub_rows.h"
#include "storage/storage.h"

namespace trawl::storage {

// How long to pause after `bytes` of one file were read in `took`, so that no more than `rate` are read in a
// second. What is small counts as 64 KiB: each file costs something by itself.
[[nodiscard]] std::chrono::nanoseconds scrub_pause(std::int64_t bytes, std::int64_t rate,
                                                   std::chrono::nanoseconds took);

// Reads stored files again, those read longest ago first, and compares them with the SHA-256 of their rows.
// What it finds is told and kept with the rows; it deletes and changes nothing. One process of all that share
// the database does so at a time; when each file was read last is in its row, so that a restart goes on.
class Scrub {
 public:
  struct Options {
    std::string holder;     // Of the one place: a name of this process.
    std::int64_t rate = 0;  // Bytes a second; 0: none are read.
    Millis interval{};      // Until a file is read again.
    // After each file that is still stored; on this executor.
    std::function<void(Integrity, std::int64_t bytes)> on_checked;
  };
  Scrub(asio::any_io_executor executor, ArtifactStore& storage, BlockingPool& files, db::Database& database,
        Options options);

  void start();
  [[nodiscard]] Task<void> stop() { return scope_.close(); }

  // Makes everything due that is stored now. Errc::conflict ("scrub_off") when the rate is 0.
  [[nodiscard]] Task<Result<void>> ask();

  struct Report {
    std::int64_t files = 0, bytes = 0;          // Stored, by row.
    std::int64_t due_files = 0, due_bytes = 0;  // Of them.
    std::optional<SystemTime> oldest_check;
    std::optional<std::string> reader;  // The process that reads now.
    std::map<Integrity, std::int64_t> damaged;
    std::vector<Artifact> artifacts;  // Some of the damaged ones, by age.
  };
  [[nodiscard]] Task<Result<Report>> report(std::int64_t offset, std::int64_t limit);

  // Reads what is due, until nothing is, another process reads, or the backend does not give a file.
  [[nodiscard]] Task<Result<void>> check_due();
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  [[nodiscard]] Task<void> check_regularly();
  [[nodiscard]] Task<Result<std::vector<detail::Expected>>> claim();
  [[nodiscard]] Task<bool> still_holds();
  [[nodiscard]] Task<std::optional<detail::Checked>> check(detail::Expected file);
  [[nodiscard]] Task<Result<std::string>> hash(const detail::Expected& file);
  [[nodiscard]] Task<Result<void>> keep(std::vector<detail::Checked> checked);

  ArtifactStore& storage_;
  BlockingPool& files_;
  db::Database& database_;
  const Options options_;
  std::chrono::steady_clock::time_point held_at_{};
  Event asked_;
  Scope scope_;
};

}  // namespace trawl::storage
