#include "downloads/extractor_outcomes.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "jobs/job_row.h"

namespace trawl::downloads {
namespace {

constexpr std::string_view kUnknown = "unknown";

void rate(ExtractorRecord& record) {
  if (const auto judged = record.completed + record.failed; judged > 0)
    record.success_rate = static_cast<double>(record.completed) / static_cast<double>(judged);
}

}  // namespace

Verdict verdict_of(std::string_view outcome) {
  constexpr std::string_view kAgainst[] = {"extractor_broken", "no_media_found",  "download_failed",
                                           "engine_crashed",   "engine_error",    "engine_timeout",
                                           "too_complex",      "origin_forbidden"};
  if (outcome == kCompleted) return Verdict::completed;
  const bool against = std::ranges::find(kAgainst, outcome) != std::end(kAgainst);
  return against ? Verdict::failed : Verdict::excused;
}

Result<void> count_outcome(db::Transaction& transaction, const Attempted& attempted) {
  const std::string extractor = attempted.extractor.empty() ? std::string(kUnknown) : attempted.extractor;
  const auto counted = transaction.execute(
      "INSERT INTO extractor_outcomes (extractor, version, outcome, attempts, last_at)"
      " VALUES ($1, $2, $3, 1, $4) ON CONFLICT (extractor, version, outcome) DO UPDATE SET"
      " attempts = extractor_outcomes.attempts + 1, last_at = excluded.last_at",
      {to_lower(extractor), attempted.version, attempted.outcome, jobs::to_millis(transaction.now())});
  if (!counted) return fail(counted.error());
  return {};
}

Task<void> count_attempt(db::Database& database, Attempted attempted, jobs::Outcome& outcome) {
  if (outcome) {
    outcome = [also = std::move(*outcome), attempted](db::Transaction& transaction) -> Result<json::object> {
      if (auto counted = count_outcome(transaction, attempted); !counted) return fail(counted.error());
      return also(transaction);
    };
    co_return;
  }
  const auto counted = co_await database.write(
      [&attempted](db::Transaction& transaction) { return count_outcome(transaction, attempted); });
  if (!counted) log_warn("a failure could not be counted", {{"error", counted.error().message}});
}

Result<std::vector<ExtractorRecord>> extractor_records(db::Transaction& transaction) {
  const auto rows = transaction.query(
      "SELECT extractor, version, outcome, attempts, last_at FROM extractor_outcomes"
      " ORDER BY extractor, version LIMIT 20000",
      {});
  if (!rows) return fail(rows.error());
  std::vector<ExtractorRecord> out;
  for (const db::Row& row : *rows) {
    if (out.empty() || out.back().extractor != row.text(0) || out.back().version != row.text(1))
      out.push_back({.extractor = row.text(0), .version = row.text(1)});
    ExtractorRecord& record = out.back();
    const std::string outcome = row.text(2);
    record.outcomes[outcome] = row.integer(3);
    record.last_at = std::max(record.last_at, SystemTime(Millis(row.integer(4))));
    const Verdict verdict = verdict_of(outcome);
    if (verdict == Verdict::completed) record.completed += row.integer(3);
    if (verdict == Verdict::failed) record.failed += row.integer(3);
  }
  std::ranges::for_each(out, rate);
  return out;
}

}  // namespace trawl::downloads
