#include "downloads/recording.h"

#include "async/event.h"
#include "base/log.h"
#include "jobs/job_row.h"

namespace trawl::downloads {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookForEnd{500};

bool is_recording(const jobs::Job& job) {
  if (job.state != jobs::State::running || job.phase != "downloading") return false;
  const json::value* plan = job.checkpoint.if_contains("plan");
  const json::value* live = plan && plan->is_object() ? plan->get_object().if_contains("live") : nullptr;
  return live && live->is_bool() && live->get_bool();
}

}  // namespace

Result<void> ask_for_end(db::Transaction& transaction, const jobs::Job& job) {
  if (!is_recording(job))
    return fail(Errc::conflict, "the download records no live stream now; it can be cancelled",
                "not_recording");
  const auto added = transaction.execute(
      "INSERT INTO recording_ends (job_id, asked_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
      {job.id.str(), jobs::to_millis(transaction.now())});
  if (!added) return fail(added.error());
  return {};
}

Result<void> forget_end(db::Transaction& transaction, const JobId& job) {
  const auto removed = transaction.execute("DELETE FROM recording_ends WHERE job_id = $1", {job.str()});
  if (!removed) return fail(removed.error());
  return {};
}

Result<bool> end_is_asked_for(db::Transaction& transaction, const JobId& job) {
  const auto rows = transaction.query("SELECT 1 FROM recording_ends WHERE job_id = $1", {job.str()});
  if (!rows) return fail(rows.error());
  return !rows->empty();
}

std::string_view why_it_ends(const RecordingState& state, const RecordingLimits& limits) {
  if (state.asked) return "as asked for";
  if (state.length >= limits.length) return "as it is long enough";
  if (state.silence >= limits.silence) return "as nothing comes any more";
  return "";
}

Task<std::string_view> end_of_recording(db::Database& database, JobId job, RecordingLimits limits,
                                        std::function<std::int64_t()> size) {
  const auto began = steady_clock::now();
  auto grown_at = began;
  std::int64_t before = 0;
  for (;;) {
    co_await sleep_for(kLookForEnd);
    const auto now = steady_clock::now();
    if (const auto after = size(); after != before) before = after, grown_at = now;
    const auto asked = co_await database.read(
        [&job](db::Transaction& transaction) { return end_is_asked_for(transaction, job); });
    const auto why =
        why_it_ends({.asked = asked && *asked, .length = now - began, .silence = now - grown_at}, limits);
    if (why.empty()) continue;
    const auto forgotten = co_await database.write(
        [&job](db::Transaction& transaction) { return forget_end(transaction, job); });
    if (!forgotten) log_warn("an order could not be forgotten", {{"error", forgotten.error().message}});
    co_return why;
  }
}

}  // namespace trawl::downloads
