#include "transfer/segment_sink.h"

#include <algorithm>

#include <fmt/format.h>

#include "transfer/resume.h"

namespace trawl::transfer {
namespace {

// Ends a request whose remaining bytes are not wanted.
constexpr std::string_view kComplete = "segment_complete";

std::string_view view(std::span<const char> bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace

bool BufferAllowance::take(std::int64_t bytes) {
  std::int64_t left = left_;
  while (left >= bytes) {
    if (left_.compare_exchange_weak(left, left - bytes)) return true;
  }
  return false;
}

Result<void> BufferedSegment::reserve(std::int64_t length) {
  if (length <= taken_) return {};
  if (!allowance_->take(length - taken_)) {
    return fail(Errc::unavailable, "no room to keep a segment before its turn", "no_buffer");
  }
  taken_ = length;
  return {};
}

Result<void> BufferedSegment::expect(std::int64_t length) {
  if (auto done = reserve(length); !done) return done;
  bytes_.reserve(static_cast<std::size_t>(length));
  return {};
}

Result<void> BufferedSegment::write(std::span<const char> bytes) {
  const auto size = static_cast<std::int64_t>(bytes_.size() + bytes.size());
  if (size > taken_) {
    // Of unknown length: the string grows by doubling, and so does what is reserved.
    if (auto done = reserve(std::max(size, 2 * taken_)); !done) return done;
    bytes_.reserve(static_cast<std::size_t>(taken_));
  }
  bytes_.append(view(bytes));
  return {};
}

Result<void> BufferedSegment::decrypt(const AesBlock& key, const AesBlock& iv) {
  auto plain = decrypt_segment(bytes_, key, iv);
  if (!plain) return fail(plain.error());
  bytes_ = std::move(*plain);
  return {};
}

Result<void> DirectSegment::write(std::span<const char> bytes) {
  std::string_view out = view(bytes);
  if (decryptor_) {
    plain_.clear();
    if (auto done = decryptor_->update(bytes, plain_); !done) return done;
    out = plain_;
  }
  if (auto done = file_.write(offset_ + written_, out); !done) return done;
  written_ += static_cast<std::int64_t>(out.size());
  return {};
}

Result<std::int64_t> DirectSegment::finish() {
  if (decryptor_) {
    plain_.clear();
    if (auto done = decryptor_->finish(plain_); !done) return fail(done.error());
    if (auto done = file_.write(offset_ + written_, plain_); !done) return fail(done.error());
    written_ += static_cast<std::int64_t>(plain_.size());
  }
  return written_;
}

Result<void> SegmentSink::begin(const Head& head) {
  retry_after_ = transfer::retry_after(head);
  auto slice = judge_segment_answer(range_, head);
  if (!slice) return fail(slice.error());
  slice_ = *slice;
  if (!slice_.length) return {};
  if (!budget_.fits(*slice_.length)) return fail(Errc::too_large, "a segment is longer than the limit");
  return output_.expect(*slice_.length);
}

Result<void> SegmentSink::data(std::span<const char> bytes) {
  const auto skip = std::min<std::int64_t>(slice_.skip - skipped_, std::ssize(bytes));
  skipped_ += skip;
  bytes = bytes.subspan(static_cast<std::size_t>(skip));
  if (slice_.length && std::ssize(bytes) > *slice_.length - received_) {
    if (!slice_.then_end)
      return fail(Errc::unavailable, "a segment is longer than announced", "wrong_length");
    bytes = bytes.first(static_cast<std::size_t>(*slice_.length - received_));
  }
  const std::int64_t size = std::ssize(bytes);
  received_ += size;
  budget_.add(part_, size);
  if (!budget_.take_bytes(size)) return fail(Errc::too_large, "the download is larger than the limit");
  if (auto done = output_.write(bytes); !done) return done;
  if (slice_.then_end && complete()) return fail(Errc::cancelled, "the rest is not wanted", kComplete);
  return {};
}

bool SegmentSink::complete() const {
  return !slice_.length || received_ == *slice_.length;
}

Result<void> SegmentSink::finish(const Result<Head>& answer) {
  Result<void> out;
  if (!answer && answer.error().reason != kComplete) {
    out = fail(answer.error());
  } else if (!complete()) {
    out = fail(Errc::unavailable, fmt::format("{} of {} bytes of a segment came", received_, *slice_.length),
               "truncated");
  }
  if (!out) {
    budget_.add(part_, -received_);
    budget_.give_back(received_);
  }
  return out;
}

}  // namespace trawl::transfer
