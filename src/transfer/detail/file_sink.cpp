#include "transfer/detail/file_sink.h"

#include <algorithm>

namespace trawl::transfer::detail {
namespace {

constexpr std::int64_t kCheckpoint = 8 * 1024 * 1024;
constexpr std::int64_t kMostUnsaved = 10 * 1024 * 1024;  // Up to 6 MiB more wait in a socket.

std::unexpected<Error> too_large() {
  return fail(Errc::too_large, "the download is larger than its limit");
}

}  // namespace

FileSink::FileSink(FileContext& context, Span claim, std::optional<Span> asked, Known known)
    : context_(context),
      first_(claim.first),
      asked_(asked),
      known_(std::move(known)),
      position_(claim.first),
      end_(claim.end) {}

Result<void> FileSink::begin(const Head& head) {
  wait_ = retry_after(head);
  auto verdict = judge_answer(asked_, known_, head);
  if (!verdict) return fail(std::move(verdict.error()));
  validator_ = validator_of(head);
  verdict_ = *verdict;
  if (verdict->kind != Verdict::Kind::append) {
    enough_ = true;
    return fail(Errc::cancelled, "the answer cannot be appended");
  }
  auto taken = take(*verdict);
  if (!taken) return taken;
  latency_ = std::chrono::steady_clock::now() - asked_at_;
  begun_ = true;
  context_.changed();
  return {};
}

Result<void> FileSink::take(const Verdict& verdict) {
  if (verdict.total) {
    if (!context_.budget.fits(*verdict.total)) return too_large();
    if (!known_.total) {
      if (auto reserved = context_.file.reserve(*verdict.total); !reserved) return reserved;
    }
    context_.budget.set_total(context_.part, verdict.total);
  }
  if (verdict.end) leave_from(*verdict.end);
  skip_ = verdict.skip;
  return {};
}

bool FileSink::ready() const {
  return !context_.journalled || context_.unsaved + context_.saving < kMostUnsaved;
}

Result<void> FileSink::data(std::span<const char> bytes) {
  const auto skipped = std::min<std::int64_t>(skip_, static_cast<std::int64_t>(bytes.size()));
  skip_ -= skipped;
  bytes = bytes.subspan(static_cast<std::size_t>(skipped));

  const std::int64_t position = position_;
  const std::int64_t room = std::max<std::int64_t>(end_ - position, 0);
  const auto wanted = bytes.first(std::min(bytes.size(), static_cast<std::size_t>(room)));
  const auto size = static_cast<std::int64_t>(wanted.size());
  if (!context_.budget.take_bytes(size)) {
    context_.budget.give_back(size);
    return too_large();
  }
  if (auto written = context_.file.write(position, wanted); !written) return written;
  position_ = position + size;
  context_.budget.add(context_.part, size);
  context_.arrived += size;
  const std::int64_t unsaved = context_.unsaved.fetch_add(size);
  if (unsaved < kCheckpoint && unsaved + size >= kCheckpoint) context_.changed();
  if (wanted.size() == bytes.size()) return {};
  enough_ = true;
  return fail(Errc::cancelled, "nothing more of this answer is wanted");
}

}  // namespace trawl::transfer::detail
