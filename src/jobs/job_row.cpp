#include "jobs/job_row.h"

#include <fmt/format.h>

namespace trawl::jobs {
namespace {

SystemTime from_millis(std::int64_t millis) {
  return SystemTime{Millis{millis}};
}

std::optional<SystemTime> maybe_time(const db::Row& row, std::size_t column) {
  const auto millis = row.maybe_integer(column);
  return millis ? std::optional(from_millis(*millis)) : std::nullopt;
}

Result<json::object> document(const db::Row& row, std::size_t column) {
  auto value = parse_json(row.text(column));
  if (!value || !value->is_object()) {
    return trawl::fail(Errc::internal,
                       fmt::format("job {}: column {} is not a JSON object", row.text(0), column));
  }
  return value->as_object();
}

}  // namespace

Result<Job> read_job(const db::Row& row) {
  Job job;
  const auto id = JobId::parse(row.text(0));
  const auto state = parse_enum<State>(row.text(4));
  if (!id || !state)
    return trawl::fail(Errc::internal, fmt::format("job {}: bad id or state {}", row.text(0), row.text(4)));
  job.id = *id;
  job.kind = row.text(1);
  job.tenant = row.text(2);
  job.priority = static_cast<int>(row.integer(3));
  job.state = *state;
  job.phase = row.text(5);
  job.epoch = row.integer(6);
  job.failures = static_cast<int>(row.integer(7));
  job.crashes = static_cast<int>(row.integer(8));
  job.not_before = from_millis(row.integer(9));
  for (const auto& [column, target] :
       {std::pair{10U, &job.request}, {11U, &job.checkpoint}, {12U, &job.progress}, {13U, &job.result}}) {
    auto value = document(row, column);
    if (!value) return trawl::fail(std::move(value.error()));
    *target = std::move(*value);
  }
  job.error_code = row.maybe_text(14);
  job.error_message = row.maybe_text(15);
  job.created_at = from_millis(row.integer(16));
  job.updated_at = from_millis(row.integer(17));
  job.started_at = maybe_time(row, 18);
  job.completed_at = maybe_time(row, 19);
  job.origin = row.text(20);
  job.turn = row.integer(21);
  job.losses = static_cast<int>(row.integer(22));
  job.replays = static_cast<int>(row.integer(23));
  job.pause_asked = row.boolean(24);
  if (const auto retries = row.maybe_integer(25)) job.max_retries = static_cast<int>(*retries);
  job.scheduled_at = maybe_time(row, 26);
  job.deadline = maybe_time(row, 27);
  job.batch = row.maybe_text(28);
  job.fingerprint = row.text(29);
  job.title = row.text(30);
  return job;
}

}  // namespace trawl::jobs
