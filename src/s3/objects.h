#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "async/blocking_pool.h"
#include "async/task.h"
#include "aws/credentials.h"
#include "s3/bucket.h"
#include "s3/connection.h"
#include "s3/failure.h"

namespace trawl::s3 {

// A file's bytes on their way into an object.
struct Content {
  int descriptor = -1;  // Stays open until the call returns.
  std::int64_t size = 0;
  std::string sha256;
  std::string mime_type;
};

inline constexpr std::int64_t kMostParts = 10'000;  // Of an upload.

class Upload;

// The objects of one bucket. Every request is repeated while its failure may go away (failure.h): up to
// eight times in about half a minute. Errors: Errc::not_found for what is not there, unavailable for
// everything else ("storage_unavailable", "storage_refused", "storage_answer", "no_credentials").
class Objects {
 public:
  struct Options {
    std::string ca_file;
    std::size_t connections = 8;         // Requests at the same time.
    std::int64_t part_bytes = 16 << 20;  // Of an upload in parts, at least 5 MiB.
  };
  Objects(asio::any_io_executor executor, Bucket bucket, aws::Credentials& credentials, Options options)
      : executor_(executor),
        bucket_(std::move(bucket)),
        credentials_(credentials),
        options_(std::move(options)),
        threads_(options_.connections) {}
  ~Objects() { close(); }

  // Ends what is under way, which fails, and waits for it.
  void close();

  [[nodiscard]] Task<Result<void>> put(std::string key, Content content);
  // The same in parts, several at a time, with memory that does not depend on its size. `begun` is given the
  // id of the upload before the first part is sent; if it fails, or anything else does, the upload is
  // aborted. An object is there when this succeeds, and only then.
  using Begun = std::function<Task<Result<void>>(std::string upload)>;
  [[nodiscard]] Task<Result<void>> put_in_parts(std::string key, Content content, Begun begun);
  [[nodiscard]] bool is_large(std::int64_t size) const { return size > options_.part_bytes; }
  [[nodiscard]] std::int64_t part_bytes() const { return options_.part_bytes; }
  // Aborts the uploads in parts to `key` that are left after one of them made the object.
  [[nodiscard]] Task<void> abort_others(std::string key);

  [[nodiscard]] Task<Result<std::string>> read(std::string key, std::int64_t offset, std::int64_t length);
  // The length of an object.
  [[nodiscard]] Task<Result<std::int64_t>> size_of(std::string key);
  // An object that is not there is a success.
  [[nodiscard]] Task<Result<void>> remove(std::string key);
  // Aborts every upload in parts to `key` that is under way. Returns how many.
  [[nodiscard]] Task<Result<std::size_t>> abort_uploads(std::string key);

  [[nodiscard]] const Bucket& bucket() const { return bucket_; }
  [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }
  // For what is signed without a request.
  [[nodiscard]] Task<Result<aws::Keys>> keys();

 private:
  friend class Upload;
  using Check = std::function<Result<void>(const Answer&)>;

  // `check` looks into a 2xx; what it refuses counts as a failure that may go away.
  [[nodiscard]] Task<std::expected<Answer, Failure>> perform(Call call, Check check = {});
  [[nodiscard]] std::expected<Answer, Failure> attempt(const Call& call, const Check& check);
  [[nodiscard]] bool is_stopped(const Call& call) const {
    return interrupted_ || (call.stopped && *call.stopped);
  }
  [[nodiscard]] Task<Result<void>> abort(std::string key, std::string id, int attempts = kAttempts);

  asio::any_io_executor executor_;
  const Bucket bucket_;
  aws::Credentials& credentials_;
  const Options options_;
  std::atomic<bool> interrupted_ = false;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
  BlockingPool threads_;
};

}  // namespace trawl::s3
