#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "transfer/budget.h"
#include "transfer/http_client.h"
#include "transfer/segment_answer.h"
#include "transfer/segment_cipher.h"
#include "transfer/segment_file.h"

namespace trawl::transfer {

// What segments that wait for their turn may hold in memory, together. Any thread.
class BufferAllowance {
 public:
  explicit BufferAllowance(std::int64_t bytes) : left_(bytes) {}
  [[nodiscard]] bool take(std::int64_t bytes);
  void give_back(std::int64_t bytes) { left_ += bytes; }

 private:
  std::atomic<std::int64_t> left_;
};

// Where the bytes of one segment go while they arrive.
class SegmentOutput {
 public:
  virtual ~SegmentOutput() = default;
  // Announces the length, before the first write.
  [[nodiscard]] virtual Result<void> expect(std::int64_t length) = 0;
  [[nodiscard]] virtual Result<void> write(std::span<const char> bytes) = 0;
};

// Keeps a segment until those before it are written. Fails with reason "no_buffer" when the allowance
// is used up.
class BufferedSegment final : public SegmentOutput {
 public:
  explicit BufferedSegment(std::shared_ptr<BufferAllowance> allowance) : allowance_(std::move(allowance)) {}
  ~BufferedSegment() override { allowance_->give_back(taken_); }
  BufferedSegment(const BufferedSegment&) = delete;
  BufferedSegment& operator=(const BufferedSegment&) = delete;

  [[nodiscard]] Result<void> expect(std::int64_t length) override;
  [[nodiscard]] Result<void> write(std::span<const char> bytes) override;
  [[nodiscard]] Result<void> decrypt(const AesBlock& key, const AesBlock& iv);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  [[nodiscard]] Result<void> reserve(std::int64_t length);

  std::shared_ptr<BufferAllowance> allowance_;
  std::int64_t taken_ = 0;
  std::string bytes_;
};

// Writes the segment whose turn it is straight to its place in the part file.
class DirectSegment final : public SegmentOutput {
 public:
  DirectSegment(SegmentFile& file, std::int64_t offset, std::optional<SegmentDecryptor> decryptor)
      : file_(file), offset_(offset), decryptor_(std::move(decryptor)) {}

  [[nodiscard]] Result<void> expect(std::int64_t) override { return {}; }
  [[nodiscard]] Result<void> write(std::span<const char> bytes) override;
  // Writes what decryption held back and says how long the segment is in the file.
  [[nodiscard]] Result<std::int64_t> finish();

 private:
  SegmentFile& file_;
  std::int64_t offset_;
  std::int64_t written_ = 0;
  std::optional<SegmentDecryptor> decryptor_;
  std::string plain_;
};

// Takes the answer for one segment, counts its bytes and checks its length.
class SegmentSink final : public Sink {
 public:
  SegmentSink(std::optional<media::ByteRange> range, SegmentOutput& output, Budget& budget, std::size_t part)
      : range_(range), output_(output), budget_(budget), part_(part) {}

  [[nodiscard]] Result<void> begin(const Head& head) override;
  [[nodiscard]] Result<void> data(std::span<const char> bytes) override;

  // Turns what get() returned into whether the whole segment is there; on failure takes back what was
  // counted. For the loop, once get() has returned.
  [[nodiscard]] Result<void> finish(const Result<Head>& answer);

  [[nodiscard]] std::int64_t received() const { return received_; }
  [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  [[nodiscard]] bool complete() const;

  std::optional<media::ByteRange> range_;
  SegmentOutput& output_;
  Budget& budget_;
  std::size_t part_;
  Slice slice_;
  std::int64_t skipped_ = 0;
  std::int64_t received_ = 0;
  std::optional<std::chrono::seconds> retry_after_;
};

}  // namespace trawl::transfer
