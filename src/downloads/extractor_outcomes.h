#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/describe.h"
#include "base/json.h"
#include "db/database.h"
#include "jobs/worker.h"

namespace trawl::downloads {

// How well an extractor of one yt-dlp works.
struct ExtractorRecord {
  std::string extractor;
  std::string version;  // Of yt-dlp.
  std::int64_t completed = 0;
  std::int64_t failed = 0;                       // For reasons that lie with the extractor or the engine.
  std::optional<double> success_rate;            // completed / (completed + failed); nothing without either.
  std::map<std::string, std::int64_t> outcomes;  // Of all attempts.
  SystemTime last_at;
};
BOOST_DESCRIBE_STRUCT(ExtractorRecord, (),
                      (extractor, version, completed, failed, success_rate, outcomes, last_at))

inline constexpr std::string_view kCompleted = "completed";

// An attempt that ran to its end. Database and metrics count the same ones.
struct Attempted {
  std::string extractor;  // As yt-dlp's errors call it; empty when none got as far.
  std::string version;    // Of yt-dlp.
  std::string outcome;    // kCompleted, or the error's reason.
};

// What an outcome says about the extractor and its engine: that they work, that they do not, or nothing,
// as the medium, the network or the request was the reason.
enum class Verdict { completed, failed, excused };
[[nodiscard]] Verdict verdict_of(std::string_view outcome);

// Part of the transaction that settles the attempt, or of one of its own.
[[nodiscard]] Result<void> count_outcome(db::Transaction& transaction, const Attempted& attempted);

// Counts an attempt that ended so: a success when it is stored, with the outcome. That a failure cannot be
// counted is no reason to fail in another way.
[[nodiscard]] Task<void> count_attempt(db::Database& database, Attempted attempted, jobs::Outcome& outcome);

[[nodiscard]] Result<std::vector<ExtractorRecord>> extractor_records(db::Transaction& transaction);

}  // namespace trawl::downloads

template <>
struct trawl::EnumText<trawl::downloads::Verdict> {
  using E = trawl::downloads::Verdict;
  static constexpr std::pair<E, std::string_view> names[] = {
      {E::completed, "completed"}, {E::failed, "failed"}, {E::excused, "excused"}};
};
