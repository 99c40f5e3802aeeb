#include "s3/objects.h"

#include <algorithm>
#include <random>
#include <span>
#include <unistd.h>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "async/event.h"
#include "async/scope.h"
#include "base/failpoint.h"
#include "base/id.h"
#include "base/log.h"
#include "base/sha256.h"
#include "s3/answers.h"

namespace trawl::s3 {
namespace {

constexpr std::int64_t kMostParts = 10'000;
constexpr std::size_t kPartsAtOnce = 4;  // Of one file.
constexpr int kUploads = 3;
constexpr std::string_view kMark = "x-amz-meta-trawl-upload";

double random_fraction() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

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

template <class T>
Result<T> result_of(std::expected<T, Failure> outcome) {
  if (!outcome) return fail(std::move(outcome.error().error));
  return std::move(*outcome);
}

std::string header(const Answer& answer, const std::string& name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? std::string() : found->second;
}

}  // namespace

// An upload in parts.
struct Objects::Upload {
  std::string key;
  Content content;
  std::int64_t part_bytes = 0;
  std::string mark = random_hex(16);  // Says of an object that it was made by this upload.
  std::string id{};
  std::vector<std::string> etags{};
  std::size_t next = 0;  // The part to be sent next.
  std::optional<Error> failure{};
};

void Objects::close() {
  if (interrupted_.exchange(true)) return;
  threads_.join();
}

std::expected<Answer, Failure> Objects::attempt(const Call& call, const Check& check) {
  const auto keys = credentials_.get();
  if (!keys) return std::unexpected(Failure{.after = After::again, .error = keys.error(), .code = {}});
  std::unique_ptr<Connection> connection;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!connection)
    connection =
        std::make_unique<Connection>(bucket_, ConnectionOptions{.ca_file = options_.ca_file}, interrupted_);
  auto answer = connection->call(call, *keys);
  if (!answer) return std::unexpected(judge_connection(answer.error(), call.what));
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }
  if (answer->status < 200 || answer->status > 299) {
    Failure failure = judge_answer(answer->status, error_code(answer->body), call.what);
    if (failure.after == After::new_keys) credentials_.refused(*keys);
    return std::unexpected(std::move(failure));
  }
  if (check) {
    if (auto fine = check(*answer); !fine) {
      const std::string code = error_code(answer->body);
      if (!code.empty()) return std::unexpected(judge_answer(answer->status, code, call.what));
      return std::unexpected(Failure{.after = After::again, .error = std::move(fine.error()), .code = {}});
    }
  }
  return std::move(*answer);
}

Task<std::expected<Answer, Failure>> Objects::perform(Call call, Check check) {
  for (int attempts = 1;; ++attempts) {
    auto answer = co_await threads_.run([&] { return attempt(call, check); });
    if (answer || answer.error().after == After::give_up || attempts == kAttempts || interrupted_)
      co_return answer;
    log_debug("a request to the storage failed and is made again",
              {{"what", call.what}, {"attempt", attempts}, {"error", answer.error().error.message}});
    co_await sleep_for(delay_after(attempts, answer.error().after, random_fraction()));
  }
}

Task<Result<aws::Keys>> Objects::keys() {
  co_return co_await threads_.run([this] { return credentials_.get(); });
}

Task<Result<void>> Objects::put(std::string key, Content content) {
  Call call{.what = "store a file",
            .method = "PUT",
            .key = std::move(key),
            .file = FilePart{content.descriptor, 0, content.size},
            .sha256 = content.sha256};
  if (!content.mime_type.empty()) call.headers.emplace_back("Content-Type", content.mime_type);
  auto answer = result_of(co_await perform(std::move(call)));
  if (!answer) co_return fail(std::move(answer.error()));
  co_return Result<void>();
}

Task<Result<std::string>> Objects::begin(const Upload& upload) {
  Call call{.what = "begin an upload", .method = "POST", .key = upload.key, .query = {{"uploads", ""}}};
  call.headers.emplace_back(kMark, upload.mark);
  if (!upload.content.mime_type.empty()) call.headers.emplace_back("Content-Type", upload.content.mime_type);
  std::string id;
  const auto answer = co_await perform(std::move(call), [&id](const Answer& given) -> Result<void> {
    auto read = read_upload_id(given.body);
    if (!read) return fail(std::move(read.error()));
    id = std::move(*read);
    return {};
  });
  if (!answer) co_return fail(answer.error().error);
  co_return id;
}

// One of several that take the next part until there is none, or one of them fails.
Task<void> Objects::send_next_parts(Upload& upload) {
  while (upload.next < upload.etags.size() && !upload.failure) {
    const std::size_t number = upload.next++;
    const auto offset = static_cast<std::int64_t>(number) * upload.part_bytes;
    const FilePart part{upload.content.descriptor, offset,
                        std::min(upload.part_bytes, upload.content.size - offset)};
    auto digest = co_await threads_.run([&part] { return hash(part); });
    if (!digest) {
      upload.failure = digest.error();
      co_return;
    }
    Call call{.what = "store a part of a file",
              .method = "PUT",
              .key = upload.key,
              .query = {{"partNumber", fmt::format("{}", number + 1)}, {"uploadId", upload.id}},
              .file = part,
              .sha256 = std::move(*digest)};
    failpoint("s3.before_part");
    const auto sent = co_await perform(std::move(call), [](const Answer& answer) -> Result<void> {
      if (!header(answer, "etag").empty()) return {};
      return fail(Errc::unavailable, "the storage answers without the ETag of a part", "storage_answer");
    });
    if (!sent) {
      upload.failure = sent.error().error;
      co_return;
    }
    upload.etags[number] = header(*sent, "etag");
  }
}

Task<Result<void>> Objects::send_parts(Upload& upload) {
  // A sender works with what is in this frame, so it is waited for whatever happens to the caller.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  Scope senders(executor_);
  for (std::size_t i = 0; i < std::min(kPartsAtOnce, upload.etags.size()); ++i)
    senders.spawn("send parts", send_next_parts(upload));
  co_await senders.join();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (upload.failure) co_return fail(*upload.failure);
  // A sender that was thrown out of its work leaves a part unsent.
  if (std::ranges::any_of(upload.etags, &std::string::empty))
    co_return fail(Errc::internal, "a part of a file was not sent");
  co_return Result<void>();
}

// Whether the object is the one that this upload makes.
Task<Result<bool>> Objects::is_ours(const Upload& upload) {
  const auto answer =
      co_await perform({.what = "look for a stored file", .method = "HEAD", .key = upload.key});
  if (!answer && answer.error().error.code == Errc::not_found) co_return false;
  if (!answer) co_return fail(answer.error().error);
  co_return header(*answer, std::string(kMark)) == upload.mark&& header(*answer, "content-length") ==
      fmt::format("{}", upload.content.size);
}

// The answer may be lost, and the upload be gone when it is asked for again: the object then says by its
// mark that it was completed. It is looked at in any case, since a server may say more than it has done.
Task<Result<void>> Objects::complete(const Upload& upload) {
  failpoint("s3.before_complete");
  const auto answer = co_await perform({.what = "complete an upload",
                                        .method = "POST",
                                        .key = upload.key,
                                        .query = {{"uploadId", upload.id}},
                                        .headers = {{"Content-Type", "application/xml"}},
                                        .body = completion(upload.etags)},
                                       [](const Answer& given) { return check_completed(given.body); });
  const auto there = co_await is_ours(upload);
  if (there && *there) co_return Result<void>();
  if (!answer && answer.error().code == "InvalidPart")
    co_return fail(Errc::conflict, answer.error().error.message, "storage_parts");
  if (!answer) co_return fail(answer.error().error);
  if (!there) co_return fail(there.error());
  co_return fail(Errc::unavailable, "the storage completed an upload and has not got it", "storage_answer");
}

Task<Result<void>> Objects::put_in_parts(std::string key, Content content, Begun begun) {
  const std::int64_t needed = (content.size + kMostParts - 1) / kMostParts;
  const std::int64_t part_bytes = std::max(options_.part_bytes, needed);
  const auto parts = static_cast<std::size_t>((content.size + part_bytes - 1) / part_bytes);
  for (int uploads = 1;; ++uploads) {
    Upload upload{.key = key, .content = content, .part_bytes = part_bytes};
    upload.etags.resize(parts);
    auto id = co_await begin(upload);
    if (!id) co_return fail(std::move(id.error()));
    upload.id = std::move(*id);
    failpoint("s3.upload_begun");
    Result<void> done = co_await begun(upload.id);
    if (done) done = co_await send_parts(upload);
    if (done) done = co_await complete(upload);
    failpoint("s3.upload_completed");
    if (done) {
      co_await abort_others(key);
      co_return done;
    }
    if (auto aborted = co_await abort(key, upload.id); !aborted)
      log_warn("an upload could not be aborted; it is tried again", {{"error", aborted.error().message}});
    // What the server has is not what it answered to a part: from the beginning then.
    if (done.error().reason == "storage_parts") done.error().code = Errc::unavailable;
    if (done.error().reason != "storage_parts" || uploads == kUploads) co_return done;
  }
}

// A begin is made again when its answer is lost, by libcurl too when a kept connection ends: then there is an
// upload that nobody has the id of.
Task<void> Objects::abort_others(std::string key) {
  if (const auto aborted = co_await abort_uploads(key); !aborted)
    log_warn("uploads to a stored file may be left open", {{"error", aborted.error().message}});
}

Task<Result<void>> Objects::abort(std::string key, std::string id) {
  const auto answer = co_await perform({.what = "abort an upload",
                                        .method = "DELETE",
                                        .key = std::move(key),
                                        .query = {{"uploadId", std::move(id)}}});
  if (answer || answer.error().error.code == Errc::not_found) co_return Result<void>();
  co_return fail(answer.error().error);
}

Task<Result<std::size_t>> Objects::abort_uploads(std::string key) {
  std::vector<std::string> ids;
  const std::string full = bucket_.prefix + key;
  const auto answer = co_await perform(
      {.what = "list uploads", .method = "GET", .key = {}, .query = {{"prefix", full}, {"uploads", ""}}},
      [&](const Answer& given) -> Result<void> {
        auto read = read_uploads(given.body, full);
        if (!read) return fail(std::move(read.error()));
        ids = std::move(*read);
        return {};
      });
  if (!answer) co_return fail(answer.error().error);
  for (const std::string& id : ids) {
    if (auto aborted = co_await abort(key, id); !aborted) co_return fail(std::move(aborted.error()));
  }
  co_return ids.size();
}

Task<Result<std::string>> Objects::read(std::string key, std::int64_t offset, std::int64_t length) {
  auto answer = co_await perform(
      {.what = "read a file",
       .method = "GET",
       .key = std::move(key),
       .headers = {{"Range", fmt::format("bytes={}-{}", offset, offset + length - 1)}}},
      [length](const Answer& given) -> Result<void> {
        if (given.status == 206 && std::ssize(given.body) == length) return {};
        return fail(Errc::unavailable, "the storage answers with another part of a file", "storage_answer");
      });
  if (!answer) co_return fail(answer.error().error);
  co_return std::move(answer->body);
}

Task<Result<std::int64_t>> Objects::size_of(std::string key) {
  const auto answer =
      co_await perform({.what = "look for a stored file", .method = "HEAD", .key = std::move(key)});
  if (!answer) co_return fail(answer.error().error);
  const std::string length = header(*answer, "content-length");
  co_return length.empty() ? 0 : std::stoll(length);
}

Task<Result<void>> Objects::remove(std::string key) {
  const auto answer = co_await perform({.what = "delete a file", .method = "DELETE", .key = std::move(key)});
  if (answer || answer.error().error.code == Errc::not_found) co_return Result<void>();
  co_return fail(answer.error().error);
}

}  // namespace trawl::s3
