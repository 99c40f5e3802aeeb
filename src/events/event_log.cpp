#include "events/event_log.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"

namespace trawl::events {
namespace {

// A prime, so that jobs which write in turns all come to it.
constexpr std::uint64_t kTrimEvery = 101;

Result<Event> event_of(const db::Row& row, const JobId& job) {
  const auto type = parse_enum<Type>(row.text(1));
  const auto data = parse_json(row.text(3));
  if (!type || !data || !data->is_object()) {
    return fail(Errc::internal, fmt::format("the recorded event {} is damaged", row.integer(0)));
  }
  return Event{.seq = row.integer(0),
               .job = job,
               .type = *type,
               .at = SystemTime(Millis(row.integer(2))),
               .data = data->get_object()};
}

Result<std::vector<Event>> events_of(const std::vector<db::Row>& rows, const JobId& job) {
  std::vector<Event> out;
  out.reserve(rows.size());
  for (const db::Row& row : rows) {
    auto event = event_of(row, job);
    if (!event) return fail(std::move(event.error()));
    out.push_back(std::move(*event));
  }
  return out;
}

// A line without a level that is known counts as info.
LogLevel level_of(const Event& line) {
  const auto* level = line.data.if_contains("level");
  const auto* text = level ? level->if_string() : nullptr;
  return (text ? parse_enum<LogLevel>(*text) : std::nullopt).value_or(LogLevel::info);
}

Result<LogLevel> parse_level(const std::string& text) {
  if (text.empty()) return LogLevel::trace;
  if (const auto level = parse_enum<LogLevel>(text)) return *level;
  return fail(Errc::invalid,
              fmt::format("'{}' is not a log level: TRACE, DEBUG, INFO, WARN or ERROR", text.substr(0, 32)));
}

// Filtering here instead of in SQL keeps the statement the same for both databases; trim() bounds
// what has to be read.
EventLog::LogPage page_of(std::vector<Event> lines, LogLevel least, std::int64_t tail, std::int64_t offset) {
  std::erase_if(lines, [&](const Event& line) { return level_of(line) < least; });
  const auto total = static_cast<std::int64_t>(lines.size());
  const std::int64_t end = total - std::clamp<std::int64_t>(offset, 0, total);
  const std::int64_t begin = end - std::clamp<std::int64_t>(tail, 0, end);
  lines.erase(lines.begin() + end, lines.end());
  lines.erase(lines.begin(), lines.begin() + begin);
  return {.lines = std::move(lines), .total = total};
}

Result<void> trim(db::Transaction& transaction, const JobId& job, std::int64_t keep) {
  const auto removed = transaction.execute(
      "DELETE FROM events WHERE job_id = $1 AND type = 'log' AND seq <= "
      "(SELECT seq FROM events WHERE job_id = $1 AND type = 'log' ORDER BY seq DESC LIMIT 1 OFFSET $2)",
      {job.str(), keep});
  if (!removed) return fail(removed.error());
  return {};
}

}  // namespace

Result<void> EventLog::append(db::Transaction& transaction, const JobId& job, Type type, json::object data) {
  if (type == Type::progress) return fail(Errc::internal, "progress is published, not recorded");
  auto event = std::make_shared<Event>(
      Event{.seq = 0, .job = job, .type = type, .at = clock_.now(), .data = std::move(data)});
  transaction.later({"INSERT INTO events (job_id, type, at, data) VALUES ($1, $2, $3, $4) RETURNING seq",
                     {job.str(), std::string(to_text(type)),
                      std::int64_t{event->at.time_since_epoch().count()}, json::serialize(event->data)}},
                    [event](const std::vector<db::Row>& rows) { event->seq = rows.front().integer(0); });
  if (type == Type::log && ++lines_ % kTrimEvery == 0) {
    if (auto trimmed = trim(transaction, job, keep_lines_); !trimmed) return trimmed;
  }
  if (observer_) {
    if (auto observed = observer_(transaction, *event); !observed) return observed;
  }
  transaction.on_commit([this, event] {
    if (recorded_) recorded_(*event);
    bus_.publish(*event);
  });
  return {};
}

Task<Result<std::vector<Event>>> EventLog::since(JobId job, std::int64_t after, std::size_t limit) {
  co_return co_await database_.read(
      [job, after, limit](db::Transaction& transaction) -> Result<std::vector<Event>> {
        const auto rows = transaction.query(
            "SELECT seq, type, at, data FROM events WHERE job_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            {job.str(), after, static_cast<std::int64_t>(limit)});
        if (!rows) return fail(rows.error());
        return events_of(*rows, job);
      });
}

Task<Result<EventLog::LogPage>> EventLog::logs(JobId job, std::string min_level, std::int64_t tail,
                                               std::int64_t offset) {
  const auto least = parse_level(min_level);
  if (!least) co_return fail(least.error());
  const auto read = [job, least = *least, tail, offset](db::Transaction& transaction) -> Result<LogPage> {
    const auto rows = transaction.query(
        "SELECT seq, type, at, data FROM events WHERE job_id = $1 AND type = 'log' ORDER BY seq",
        {job.str()});
    if (!rows) return fail(rows.error());
    auto lines = events_of(*rows, job);
    if (!lines) return fail(std::move(lines.error()));
    return page_of(std::move(*lines), least, tail, offset);
  };
  co_return co_await database_.read(read);
}

}  // namespace trawl::events
