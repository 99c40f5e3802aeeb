#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/event.h"
#include "async/task.h"
#include "base/id.h"
#include "base/result.h"
#include "s3/connection.h"
#include "s3/objects.h"

namespace trawl::s3 {

// The way of a file into an object in parts, several at a time, also while the file is still being written.
// On the loop; memory does not depend on the size. begin(), send() and complete() follow one another; an
// upload that does not come to its end is aborted with abort().
class Upload {
 public:
  Upload(Objects& objects, std::string key, std::int64_t part_bytes)
      : objects_(objects), key_(std::move(key)), part_bytes_(part_bytes), changed_(objects.executor_) {}

  // Returns the id. `descriptor`: the file, open until the last request has ended.
  [[nodiscard]] Task<Result<std::string>> begin(int descriptor, std::string mime_type);
  // The first `bytes` bytes are there and stay as they are.
  void grow(std::int64_t bytes);
  // The file has `size` bytes, all of them there.
  void end(std::int64_t size);
  // Nothing more is sent; requests under way fail within a second.
  void stop();

  // Sends parts as they come, up to the last one. Errc::cancelled when it was stopped.
  [[nodiscard]] Task<Result<void>> send();
  // Makes the object of them. It is there when this succeeds, and only then. Errc::conflict
  // ("storage_parts"): the server has other parts than it said.
  [[nodiscard]] Task<Result<void>> complete();
  [[nodiscard]] Task<Result<void>> abort();

 private:
  [[nodiscard]] bool over() const;
  [[nodiscard]] std::optional<FilePart> next_part();
  [[nodiscard]] Task<void> send_parts();
  [[nodiscard]] Task<Result<std::string>> send_part(FilePart part, std::size_t number);
  [[nodiscard]] Task<Result<bool>> is_ours();

  Objects& objects_;
  const std::string key_;
  const std::int64_t part_bytes_;
  const std::string mark_ = random_hex(16);  // Says of an object that it was made by this upload.
  std::string id_;
  int descriptor_ = -1;
  std::int64_t available_ = 0;
  std::optional<std::int64_t> size_;
  std::vector<std::string> etags_;  // Of the parts that were taken so far, empty until they are stored.
  std::optional<Error> failure_;
  std::atomic<bool> stopped_ = false;
  Event changed_;
};

}  // namespace trawl::s3
