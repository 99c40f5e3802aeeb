#include "transfer/segment_move.h"

#include <algorithm>

#include <fmt/format.h>

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kMemory = std::int64_t{64} << 20;
constexpr std::int64_t kCheckpointBytes = std::int64_t{8} << 20;
constexpr auto kCheckpointTime = 5s;
constexpr std::size_t kMostConnections = 16;
constexpr auto kPatience = 20s;
constexpr std::int64_t kProgress = 64 * 1024;

}  // namespace

SegmentMove::SegmentMove(asio::any_io_executor executor, Tools tools, const media::Part& part,
                         std::size_t index, SegmentFile& file, Stop stop)
    : tools_(tools),
      part_(part),
      index_(index),
      file_(file),
      stop_(stop),
      keys_(executor, tools.client, part, index, tools.budget, std::move(stop)),
      scope_(executor),
      changed_(executor),
      parallelism_(std::min(tools.budget.limits().connections, kMostConnections)),
      allowance_(std::make_shared<BufferAllowance>(kMemory)),
      turn_(static_cast<std::size_t>(file.start().next)),
      offset_(file.start().offset),
      written_(file.start().next),
      written_offset_(offset_),
      hash_(PrefixHash::resume(file.start().sha256_state, file.start().hashed)),
      checkpoint_offset_(offset_) {}

Task<Result<std::optional<media::FileDigest>>> SegmentMove::run() {
  if (auto moved = co_await move(); !moved) co_return fail(std::move(moved.error()));
  co_return co_await publish();
}

Task<Result<std::optional<media::FileDigest>>> SegmentMove::publish() {
  co_return co_await tools_.files.run([this]() -> Result<std::optional<media::FileDigest>> {
    const auto stamp = file_.publish(offset_);
    if (!stamp) return fail(stamp.error());
    if (!part_.digest) return std::nullopt;
    const auto whole = file_.hash(hash_, offset_);
    if (!whole) return std::nullopt;  // Then it is hashed by whoever stores it.
    return media::FileDigest{.name = part_.name, .stamp = *stamp, .sha256 = whole->digest()};
  });
}

Task<Result<void>> SegmentMove::move() {
  if (part_.segments.empty()) co_return fail(Errc::invalid, fmt::format("{} has no segments", part_.name));
  tools_.budget.add(index_, offset_);
  tools_.budget.hashed(index_, 0);
  tools_.budget.hashed(index_, hash_.bytes());
  if (!tools_.budget.take_bytes(offset_))
    co_return fail(Errc::too_large, "the download is larger than the limit");
  estimate_total();
  spawn(start_fetches());
  co_await write_in_order();
  co_await scope_.join();
  if (turn_ < part_.segments.size()) end({Errc::cancelled, "the transfer was stopped", "cancelled"});
  if (failure_) {
    // A disk that failed is not asked again.
    const bool disk_works = failure_->code != Errc::no_space && failure_->reason != "io_error";
    if (disk_works && written_offset_ > checkpoint_offset_) co_await checkpoint();
    co_return fail(*failure_);
  }
  tools_.budget.add(index_, offset_ - file_.start().offset - bytes_);
  tools_.budget.set_total(index_, offset_);
  co_return Result<void>();
}

void SegmentMove::spawn(Task<void> task) {
  scope_.spawn("segments", guard(std::move(task)));
}

// Without it the writer would wait for ever for a segment whose task ended with an exception.
Task<void> SegmentMove::guard(Task<void> task) {
  try {
    co_await std::move(task);
  } catch (const std::exception& failure) {
    end({Errc::internal, fmt::format("moving {} failed: {}", part_.name, failure.what()), "internal"});
  }
}

void SegmentMove::end(Error error) {
  if (!failure_) failure_ = std::move(error);
  stop_.set();
  changed_.notify_all();
}

bool SegmentMove::may_start(std::size_t number) const {
  const std::size_t limit = parallelism_.limit();
  return running_ < limit && number - turn_ < window_size(limit, largest_, kMemory);
}

Task<void> SegmentMove::start_fetches() {
  for (std::size_t number = turn_; number < part_.segments.size(); ++number) {
    while (!ended() && !may_start(number)) co_await changed_.wait();
    if (ended()) co_return;
    ++running_;
    spawn(fetch(number));
  }
}

Task<void> SegmentMove::fetch(std::size_t number) {
  auto fetched = co_await fetch_with_retries(number);
  --running_;
  if (fetched)
    ready_.emplace(number, std::move(*fetched));
  else
    end(std::move(fetched.error()));
  changed_.notify_all();
}

Task<Result<SegmentMove::Fetched>> SegmentMove::fetch_with_retries(std::size_t number) {
  const auto key = co_await keys_.of(part_.segments[number]);
  if (!key) co_return fail(key.error());
  for (int attempt = 1;;) {
    Wait wait;
    const auto asked = Clock::now();
    auto fetched = number == turn_ ? co_await try_directly(number, *key, wait)
                                   : co_await try_buffered(number, *key, wait);
    if (fetched) co_return fetched;
    if (fetched.error().reason == "no_buffer") {
      while (!ended() && number != turn_) co_await changed_.wait();
      if (ended()) co_return fetched;
      continue;
    }
    // The others of this download have the connections.
    if (fetched.error().reason == kHostBusy && progressed_ > asked && !ended()) continue;
    if (stop_.is_set() || is_dead(fetched.error()) || !worth_a_retry(fetched.error(), attempt))
      co_return fetched;
    auto waited = co_await tools_.budget.back_off(index_, attempt++, wait, fetched.error(), stop_);
    if (!waited) co_return fail(waited.error());
  }
}

Task<Result<SegmentMove::Fetched>> SegmentMove::try_directly(std::size_t number,
                                                             std::optional<SegmentKey> key, Wait& wait) {
  std::optional<SegmentDecryptor> decryptor;
  if (key) decryptor.emplace(key->key, key->iv);
  DirectSegment output(file_, offset_, std::move(decryptor));
  if (auto done = co_await get(number, output, wait); !done) co_return fail(done.error());
  auto length = co_await tools_.files.run([&output] { return output.finish(); });
  if (!length) co_return fail(length.error());
  co_return Fetched{.buffered = nullptr, .length = *length};
}

Task<Result<SegmentMove::Fetched>> SegmentMove::try_buffered(std::size_t number,
                                                             std::optional<SegmentKey> key, Wait& wait) {
  auto output = std::make_unique<BufferedSegment>(allowance_);
  if (auto done = co_await get(number, *output, wait); !done) co_return fail(done.error());
  if (key) {
    auto done = co_await tools_.files.run([&] { return output->decrypt(key->key, key->iv); });
    if (!done) co_return fail(done.error());
  }
  const auto length = std::ssize(output->bytes());
  co_return Fetched{.buffered = std::move(output), .length = length};
}

Task<Result<void>> SegmentMove::get(std::size_t number, SegmentOutput& output, Wait& wait) {
  const media::Segment& segment = part_.segments[number];
  SegmentSink sink(segment.range, output, tools_.budget, index_);
  const auto permit = co_await tools_.budget.connections.acquire();
  if (ended()) co_return fail(Errc::cancelled, "the transfer was stopped");
  const auto answer = co_await tools_.client.fetch({.url = segment.url,
                                                    .headers = part_.headers,
                                                    .cookies = part_.cookies,
                                                    .range = segment.range,
                                                    .own_connection = true,
                                                    .shared_rate = tools_.budget.rate(),
                                                    .proxy = tools_.budget.limits().proxy},
                                                   sink, stop_);
  auto done = sink.finish(answer);
  wait = sink.retry_after();
  if (done || sink.received() >= kProgress) progressed_ = Clock::now();
  if (done) note_size(sink.received());
  if (!done && (wait || done.error().code == Errc::rate_limited)) parallelism_.slow_down();
  co_return done;
}

// Who waits for a dead origin keeps others from a living one: the job comes back to it later.
bool SegmentMove::is_dead(const Error& error) const {
  return error.code == Errc::timeout && Clock::now() - progressed_ >= kPatience;
}

void SegmentMove::note_size(std::int64_t bytes) {
  largest_ = std::max(largest_, bytes);
  bytes_ += bytes;
  ++came_;
  parallelism_.finished(bytes, Clock::now() - began_);
  estimate_total();
}

void SegmentMove::estimate_total() {
  const double known = static_cast<double>(file_.start().offset + bytes_);
  const double came = static_cast<double>(file_.start().next) + static_cast<double>(came_);
  if (came == 0) return;
  tools_.budget.set_total(
      index_, static_cast<std::int64_t>(known / came * static_cast<double>(part_.segments.size())));
}

SegmentMove::Batch SegmentMove::take_ready() {
  Batch out{.offset = offset_};
  for (auto next = ready_.begin(); next != ready_.end() && next->first == turn_; next = ready_.erase(next)) {
    Fetched& fetched = next->second;
    // A segment that is in the file already is only ever the first of a batch, and alone moves its start.
    if (!fetched.buffered)
      out.offset = offset_ + fetched.length;
    else
      out.segments.push_back(std::move(fetched.buffered));
    offset_ += fetched.length;
    ++turn_;
  }
  return out;
}

Task<Result<PrefixHash>> SegmentMove::write(Batch batch, std::int64_t end) {
  co_return co_await tools_.files.run([this, &batch, end, hash = hash_]() -> Result<PrefixHash> {
    std::int64_t offset = batch.offset;
    for (auto& segment : batch.segments) {
      if (auto done = file_.write(offset, segment->bytes()); !done) return fail(done.error());
      offset += std::ssize(segment->bytes());
      segment.reset();
    }
    if (!part_.digest) return hash;
    return file_.hash(hash, hashable(end));
  });
}

Task<void> SegmentMove::write_in_order() {
  while (turn_ < part_.segments.size()) {
    const std::size_t before = turn_;
    Batch batch = take_ready();
    if (turn_ == before) {
      if (ended()) co_return;
      co_await changed_.wait();
      continue;
    }
    const std::int64_t offset = offset_;
    const auto next = static_cast<std::int64_t>(turn_);
    changed_.notify_all();
    auto hash = co_await write(std::move(batch), offset);
    if (!hash) co_return end(hash.error());
    hash_ = *hash;
    tools_.budget.hashed(index_, hash_.bytes());
    written_ = next;
    written_offset_ = offset;
    checkpoint_if_due();
  }
}

void SegmentMove::checkpoint_if_due() {
  const auto now = Clock::now();
  if (checkpointing_) return;
  if (written_offset_ - checkpoint_offset_ < kCheckpointBytes && now - checkpointed_ < kCheckpointTime)
    return;
  checkpointing_ = true;
  checkpointed_ = now;
  spawn(checkpoint());
}

Task<void> SegmentMove::checkpoint() {
  const std::int64_t next = written_;
  const std::int64_t offset = written_offset_;
  auto done =
      co_await tools_.files.run([=, this, hash = hash_] { return file_.checkpoint(next, offset, hash); });
  checkpointing_ = false;
  if (!done) co_return end(done.error());
  checkpoint_offset_ = offset;
}

}  // namespace trawl::transfer
