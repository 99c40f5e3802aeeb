#include "s3/upload.h"

#include <algorithm>
#include <span>
#include <unistd.h>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "async/scope.h"
#include "base/failpoint.h"
#include "base/sha256.h"
#include "s3/answers.h"

namespace trawl::s3 {
namespace {

constexpr std::size_t kPartsAtOnce = 4;  // Of one file.
constexpr std::string_view kMark = "x-amz-meta-trawl-upload";

Result<std::string> hash(const FilePart& part) {
  Sha256 digest;
  std::vector<char> block(256 << 10);
  for (std::int64_t done = 0; done < part.length;) {
    const auto want = std::min<std::int64_t>(std::ssize(block), part.length - done);
    const ssize_t got =
        ::pread(part.descriptor, block.data(), static_cast<std::size_t>(want), part.offset + done);
    if (got <= 0) return fail(Errc::unavailable, "a staged file cannot be read to its end");
    digest.update(std::span(block.data(), static_cast<std::size_t>(got)));
    done += got;
  }
  return digest.finish();
}

std::string header(const Answer& answer, const std::string& name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? std::string() : found->second;
}

}  // namespace

Task<Result<std::string>> Upload::begin(int descriptor, std::string mime_type) {
  descriptor_ = descriptor;
  Call call{.what = "begin an upload", .method = "POST", .key = key_, .query = {{"uploads", ""}}};
  call.headers.emplace_back(kMark, mark_);
  if (!mime_type.empty()) call.headers.emplace_back("Content-Type", std::move(mime_type));
  call.stopped = &stopped_;
  const auto answer = co_await objects_.perform(std::move(call), [this](const Answer& given) -> Result<void> {
    auto read = read_upload_id(given.body);
    if (!read) return fail(std::move(read.error()));
    id_ = std::move(*read);
    return {};
  });
  if (!answer) co_return fail(answer.error().error);
  failpoint("s3.upload_begun");
  co_return id_;
}

void Upload::grow(std::int64_t bytes) {
  available_ = std::max(available_, bytes);
  changed_.notify_all();
}

void Upload::end(std::int64_t size) {
  size_ = size;
  grow(size);
}

void Upload::stop() {
  stopped_ = true;
  changed_.notify_all();
}

bool Upload::over() const {
  const auto taken = static_cast<std::int64_t>(etags_.size()) * part_bytes_;
  return failure_ || stopped_ || (size_ && taken >= *size_);
}

// Taken by whoever asks; nothing when it has yet to come.
std::optional<FilePart> Upload::next_part() {
  if (over()) return std::nullopt;
  const auto offset = static_cast<std::int64_t>(etags_.size()) * part_bytes_;
  const std::int64_t end = size_ ? std::min(offset + part_bytes_, *size_) : offset + part_bytes_;
  if (end > available_) return std::nullopt;
  if (etags_.size() == kMostParts) {
    failure_ = Error{Errc::too_large, "the file has more parts than a storage takes", "storage_parts"};
    changed_.notify_all();
    return std::nullopt;
  }
  etags_.emplace_back();
  return FilePart{descriptor_, offset, end - offset};
}

// One of several that take the next part until there is none, or one of them fails.
Task<void> Upload::send_parts() {
  while (!over()) {
    const auto part = next_part();
    if (!part) {
      if (!over()) co_await changed_.wait();
      continue;
    }
    const std::size_t number = etags_.size();
    auto etag = co_await send_part(*part, number);
    if (etag)
      etags_[number - 1] = std::move(*etag);
    else if (!failure_)
      failure_ = std::move(etag.error());
    changed_.notify_all();
  }
}

Task<Result<std::string>> Upload::send_part(FilePart part, std::size_t number) {
  auto digest = co_await objects_.threads_.run([&part] { return hash(part); });
  if (!digest) co_return fail(std::move(digest.error()));
  failpoint("s3.before_part");
  const auto sent = co_await objects_.perform(
      {.what = "store a part of a file",
       .method = "PUT",
       .key = key_,
       .query = {{"partNumber", fmt::format("{}", number)}, {"uploadId", id_}},
       .file = part,
       .sha256 = std::move(*digest),
       .stopped = &stopped_},
      [](const Answer& answer) -> Result<void> {
        if (!header(answer, "etag").empty()) return {};
        return fail(Errc::unavailable, "the storage answers without the ETag of a part", "storage_answer");
      });
  if (!sent) co_return fail(sent.error().error);
  co_return header(*sent, "etag");
}

Task<Result<void>> Upload::send() {
  // A sender works with what is in this frame, so it is waited for whatever happens to the caller.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  Scope senders(objects_.executor_);
  for (std::size_t i = 0; i < kPartsAtOnce; ++i) senders.spawn("send parts", send_parts());
  co_await senders.join();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (stopped_) co_return fail(Errc::cancelled, "the upload was stopped");
  if (failure_) co_return fail(*failure_);
  // A sender that was thrown out of its work leaves a part unsent.
  if (!over() || std::ranges::any_of(etags_, &std::string::empty))
    co_return fail(Errc::internal, "a part of a file was not sent");
  co_return Result<void>();
}

// Whether the object is the one that this upload makes.
Task<Result<bool>> Upload::is_ours() {
  const auto answer =
      co_await objects_.perform({.what = "look for a stored file", .method = "HEAD", .key = key_});
  if (!answer && answer.error().error.code == Errc::not_found) co_return false;
  if (!answer) co_return fail(answer.error().error);
  const std::string length = header(*answer, "content-length");
  co_return header(*answer, std::string(kMark)) == mark_&& length == fmt::format("{}", *size_);
}

// The answer may be lost, and the upload be gone when it is asked for again: the object then says by its
// mark that it was completed. It is looked at in any case, since a server may say more than it has done.
Task<Result<void>> Upload::complete() {
  failpoint("s3.before_complete");
  const auto answer =
      co_await objects_.perform({.what = "complete an upload",
                                 .method = "POST",
                                 .key = key_,
                                 .query = {{"uploadId", id_}},
                                 .headers = {{"Content-Type", "application/xml"}},
                                 .body = completion(etags_)},
                                [](const Answer& given) { return check_completed(given.body); });
  const auto there = co_await is_ours();
  failpoint("s3.upload_completed");
  if (there && *there) co_return Result<void>();
  if (!answer && answer.error().code == "InvalidPart")
    co_return fail(Errc::conflict, answer.error().error.message, "storage_parts");
  if (!answer) co_return fail(answer.error().error);
  if (!there) co_return fail(there.error());
  co_return fail(Errc::unavailable, "the storage completed an upload and has not got it", "storage_answer");
}

Task<Result<void>> Upload::abort() {
  if (id_.empty()) co_return Result<void>();
  co_return co_await objects_.abort(key_, id_, stopped_ ? 1 : kAttempts);
}

}  // namespace trawl::s3
