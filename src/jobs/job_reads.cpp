#include <fmt/format.h>

#include "jobs/detail/change.h"
#include "jobs/job_row.h"
#include "jobs/job_store.h"

namespace trawl::jobs {
namespace {

using detail::find_in;
using detail::read_jobs;

struct Where {
  std::string text;
  std::vector<db::Value> parameters;
};

Where where_of(const JobStore::Filter& filter) {
  Where out;
  const auto require = [&out](std::string_view condition) {
    out.text += fmt::format("{}{}", out.text.empty() ? "WHERE " : " AND ", condition);
  };
  const auto equal = [&](std::string_view column, const std::optional<std::string>& value) {
    if (!value) return;
    out.parameters.emplace_back(*value);
    require(fmt::format("{} = ${}", column, out.parameters.size()));
  };
  std::string states;
  for (const State state : filter.states)
    states += fmt::format("{}'{}'", states.empty() ? "" : ", ", to_text(state));
  if (!states.empty()) require(fmt::format("state IN ({})", states));
  equal("tenant", filter.tenant);
  equal("batch_id", filter.batch);
  return out;
}

Result<std::int64_t> count(db::Transaction& transaction, const Where& where) {
  auto rows = transaction.query(fmt::format("SELECT COUNT(*) FROM jobs {}", where.text), where.parameters);
  if (!rows) return trawl::fail(std::move(rows.error()));
  return rows->front().integer(0);
}

Result<std::vector<AttemptRecord>> attempts_of(db::Transaction& transaction, const JobId& id) {
  const auto rows = transaction.query(
      "SELECT epoch, worker, started_at, ended_at, state, error_code, error_message FROM job_attempts"
      " WHERE job_id = $1 ORDER BY epoch",
      {id.str()});
  if (!rows) return trawl::fail(rows.error());
  std::vector<AttemptRecord> out;
  for (const db::Row& row : *rows) {
    out.push_back({.epoch = row.integer(0),
                   .worker = row.text(1),
                   .started_at = SystemTime(Millis(row.integer(2))),
                   .ended_at = SystemTime(Millis(row.integer(3))),
                   .state = parse_enum<State>(row.text(4)).value_or(State::failed),
                   .error_code = row.text(5),
                   .error_message = row.text(6)});
  }
  return out;
}

Result<JobStore::Page> page_of(db::Transaction& transaction, const JobStore::Filter& filter) {
  Where where = where_of(filter);
  const auto total = count(transaction, where);
  if (!total) return trawl::fail(total.error());
  if (filter.older_than) {
    where.parameters.emplace_back(filter.older_than->str());
    where.text += fmt::format("{} id < ${}", where.text.empty() ? "WHERE" : " AND", where.parameters.size());
  }
  std::vector<db::Value> parameters = where.parameters;
  parameters.emplace_back(filter.limit);
  parameters.emplace_back(filter.offset);
  const auto rows =
      transaction.query(fmt::format("SELECT {} FROM jobs {} ORDER BY id DESC LIMIT ${} OFFSET ${}",
                                    kListColumns, where.text, parameters.size() - 1, parameters.size()),
                        parameters);
  if (!rows) return trawl::fail(rows.error());
  auto jobs = read_jobs(*rows);
  if (!jobs) return trawl::fail(std::move(jobs.error()));
  return JobStore::Page{std::move(*jobs), *total};
}

}  // namespace

Task<Result<Job>> JobStore::find(JobId id) {
  co_return co_await database_.read([id](db::Transaction& transaction) { return find_in(transaction, id); });
}

Task<Result<JobStore::Page>> JobStore::list(Filter filter) {
  co_return co_await database_.read(
      [filter = std::move(filter)](db::Transaction& transaction) { return page_of(transaction, filter); });
}

Task<Result<std::map<State, std::int64_t>>> JobStore::counts() {
  using Counts = std::map<State, std::int64_t>;
  co_return co_await database_.read([](db::Transaction& transaction) -> Result<Counts> {
    auto rows = transaction.query("SELECT state, COUNT(*) FROM jobs GROUP BY state");
    if (!rows) return trawl::fail(std::move(rows.error()));
    Counts counts;
    for (const db::Row& row : *rows) {
      if (const auto state = parse_enum<State>(row.text(0))) counts[*state] = row.integer(1);
    }
    return counts;
  });
}

Task<Result<JobStore::DeadLetters>> JobStore::dead_letters(std::int64_t offset, std::int64_t limit) {
  co_return co_await database_.read([offset, limit](db::Transaction& transaction) -> Result<DeadLetters> {
    auto page =
        page_of(transaction, {.states = {State::dead}, .tenant = {}, .offset = offset, .limit = limit});
    if (!page) return trawl::fail(std::move(page.error()));
    DeadLetters out{{}, page->total};
    for (Job& job : page->jobs) {
      auto history = attempts_of(transaction, job.id);
      if (!history) return trawl::fail(std::move(history.error()));
      out.letters.push_back({std::move(job), std::move(*history)});
    }
    return out;
  });
}

}  // namespace trawl::jobs
