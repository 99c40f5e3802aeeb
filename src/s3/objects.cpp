#include "s3/objects.h"

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "async/event.h"
#include "base/log.h"
#include "base/sha256.h"
#include "s3/answers.h"
#include "s3/upload.h"

namespace trawl::s3 {
namespace {

constexpr int kUploads = 3;
constexpr std::chrono::milliseconds kLook{500};  // For a call that is to stop.

double random_fraction() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
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
    if (answer || answer.error().after == After::give_up || attempts >= call.attempts || is_stopped(call))
      co_return answer;
    log_debug("a request to the storage failed and is made again",
              {{"what", call.what}, {"attempt", attempts}, {"error", answer.error().error.message}});
    auto left = delay_after(attempts, answer.error().after, random_fraction());
    for (; left.count() > 0 && !is_stopped(call); left -= kLook) co_await sleep_for(std::min(left, kLook));
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

Task<Result<void>> Objects::put_in_parts(std::string key, Content content, Begun begun) {
  const std::int64_t needed = (content.size + kMostParts - 1) / kMostParts;
  for (int uploads = 1;; ++uploads) {
    Upload upload(*this, key, std::max(options_.part_bytes, needed));
    const auto id = co_await upload.begin(content.descriptor, content.mime_type);
    if (!id) co_return fail(id.error());
    upload.end(content.size);
    Result<void> done = co_await begun(*id);
    if (done) done = co_await upload.send();
    if (done) done = co_await upload.complete();
    if (done) {
      co_await abort_others(key);
      co_return done;
    }
    if (auto aborted = co_await upload.abort(); !aborted)
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

Task<Result<void>> Objects::abort(std::string key, std::string id, int attempts) {
  const auto answer = co_await perform({.what = "abort an upload",
                                        .method = "DELETE",
                                        .key = std::move(key),
                                        .query = {{"uploadId", std::move(id)}},
                                        .attempts = attempts});
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
