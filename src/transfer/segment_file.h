#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_stamp.h"
#include "base/result.h"
#include "media/part.h"
#include "transfer/prefix_hash.h"
#include "transfer/segment_journal.h"

namespace trawl::transfer {

// The part file "<name>.trawl" of a segmented part and its journal "<name>.journal". Blocks.
//
// Calls may come from several threads, as long as no byte is written twice at once and the calls of
// checkpoint() follow one another. Errors are no_space for a full disk or quota, else unavailable with
// reason "io_error".
class SegmentFile {
 public:
  // Opens or creates both in `folder`, cuts the part file to what the journal vouches for, and says where
  // to go on in `start`.
  [[nodiscard]] static Result<std::unique_ptr<SegmentFile>> open(const std::filesystem::path& folder,
                                                                 const media::Part& part);
  ~SegmentFile();
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  [[nodiscard]] const SegmentJournal& start() const { return start_; }

  [[nodiscard]] Result<void> write(std::int64_t offset, std::string_view bytes);

  // Hashes on, up to `until`, which has been written.
  [[nodiscard]] Result<PrefixHash> hash(PrefixHash so_far, std::int64_t until) const;

  // Syncs what has been written and then says so in the journal. When the disk fails to sync, what it
  // holds is unknown: both files are removed. `hash` is of bytes before `offset`.
  [[nodiscard]] Result<void> checkpoint(std::int64_t next, std::int64_t offset, const PrefixHash& hash);

  // Cuts the file to `size`, syncs it and gives it its own name; the journal goes.
  [[nodiscard]] Result<FileStamp> publish(std::int64_t size);

 private:
  SegmentFile(std::filesystem::path folder, const std::string& name);
  [[nodiscard]] Result<void> open_at(const media::Part& part);
  [[nodiscard]] Result<void> sync();
  void discard();

  std::filesystem::path folder_, final_, part_, journal_;
  int file_ = -1;
  SegmentJournal start_;
};

}  // namespace trawl::transfer
