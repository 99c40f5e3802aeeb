#pragma once

#include <chrono>
#include <functional>

#include "async/task.h"
#include "base/result.h"
#include "db/database.h"
#include "jobs/job.h"

namespace trawl::downloads {

// The wish that the recording of a live stream ends and what is there is kept. Whoever records looks for
// it, in whichever process.

// Errc::conflict, reason "not_recording", for a download that does not record just now.
[[nodiscard]] Result<void> ask_for_end(db::Transaction& transaction, const jobs::Job& job);

// Whoever has acted on it forgets it, so that another recording of the same job can be made.
[[nodiscard]] Result<void> forget_end(db::Transaction& transaction, const JobId& job);

[[nodiscard]] Result<bool> end_is_asked_for(db::Transaction& transaction, const JobId& job);

// What a recording is at some moment, and what it may be.
struct RecordingState {
  bool asked = false;                   // Somebody wants it to end.
  std::chrono::nanoseconds length{0};   // Since it began,
  std::chrono::nanoseconds silence{0};  // and since anything came.
};
struct RecordingLimits {
  std::chrono::seconds length, silence;
};
// Why a recording ends now, in words; empty while it goes on.
[[nodiscard]] std::string_view why_it_ends(const RecordingState& state, const RecordingLimits& limits);

// Waits for the end of a recording and says why it is. `size` tells how much there is already.
[[nodiscard]] Task<std::string_view> end_of_recording(db::Database& database, JobId job,
                                                      RecordingLimits limits,
                                                      std::function<std::int64_t()> size);

}  // namespace trawl::downloads
