#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "transfer/budget.h"
#include "transfer/detail/part_file.h"
#include "transfer/http_client.h"
#include "transfer/resume.h"

namespace trawl::transfer::detail {

// What all connections of one file share.
struct FileContext {
  PartFile& file;
  Budget& budget;
  std::size_t part;
  std::function<void()> changed;          // Any thread: there is something to look at.
  std::atomic<std::int64_t> unsaved = 0;  // Bytes written since the last checkpoint began,
  std::atomic<std::int64_t> saving = 0;   // and those the checkpoint under way is about.
  std::atomic<bool> journalled = false;   // There is a validator, so checkpoints are made at all.
  std::atomic<std::int64_t> arrived = 0;  // Bytes written in all.
};

// Writes one answer to its place in the part file.
//
// The transfer thread moves `position`, the loop may lower `end`; both only ever go one way.
class FileSink final : public Sink {
 public:
  FileSink(FileContext& context, Span claim, std::optional<Span> asked, Known known);

  Result<void> begin(const Head& head) override;
  Result<void> data(std::span<const char> bytes) override;
  // Holds the origin back while the disk is behind, so that a kill never costs more than kMostUnsaved.
  [[nodiscard]] bool ready() const override;

  [[nodiscard]] std::int64_t first() const { return first_; }
  [[nodiscard]] std::int64_t position() const { return position_; }
  [[nodiscard]] std::int64_t end() const { return end_; }
  [[nodiscard]] bool begun() const { return begun_; }
  // Once begun() holds: how long the origin took to begin.
  [[nodiscard]] std::chrono::steady_clock::duration latency() const { return latency_; }
  void leave_from(std::int64_t offset) { end_ = std::min<std::int64_t>(end_, offset); }

  // Once begun() holds, and after the request.
  [[nodiscard]] const std::optional<Verdict>& verdict() const { return verdict_; }
  [[nodiscard]] const Validator& validator() const { return validator_; }
  [[nodiscard]] const std::optional<std::chrono::seconds>& wait() const { return wait_; }
  // True when the request was ended because nothing more of it was wanted.
  [[nodiscard]] bool had_enough() const { return enough_; }

 private:
  Result<void> take(const Verdict& verdict);

  FileContext& context_;
  const std::int64_t first_;
  const std::optional<Span> asked_;
  const Known known_;
  std::atomic<std::int64_t> position_;
  std::atomic<std::int64_t> end_;
  const std::chrono::steady_clock::time_point asked_at_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::duration latency_{};
  std::atomic<bool> begun_ = false;
  std::int64_t skip_ = 0;
  bool enough_ = false;
  std::optional<Verdict> verdict_;
  Validator validator_;
  std::optional<std::chrono::seconds> wait_;
};

}  // namespace trawl::transfer::detail
