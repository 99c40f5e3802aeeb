#include "jobs/overview.h"

#include "jobs/detail/breakers.h"

namespace trawl::jobs {
namespace {

SystemTime time_of(std::int64_t millis) {
  return SystemTime(Millis(millis));
}

Result<std::vector<Held>> read_held(db::Transaction& transaction) {
  const auto rows = transaction.query(
      "SELECT id, state, COALESCE(owner, ''), tenant, origin, phase, epoch, COALESCE(claimed_at, 0), "
      "COALESCE(lease_until, 0) FROM jobs WHERE state IN ('running', 'cancelling') ORDER BY id");
  if (!rows) return trawl::fail(rows.error());
  std::vector<Held> out;
  for (const db::Row& row : *rows) {
    const auto id = JobId::parse(row.text(0));
    if (!id) return trawl::fail(id.error());
    out.push_back({*id, parse_enum<State>(row.text(1)).value_or(State::running), row.text(2), row.text(3),
                   row.text(4), row.text(5), row.integer(6), time_of(row.integer(7)),
                   time_of(row.integer(8))});
  }
  return out;
}

void count(TenantQueue& queue, State state, std::int64_t jobs, SystemTime oldest) {
  if (state == State::running || state == State::cancelling) {
    queue.running += jobs;
  } else if (state == State::paused) {
    queue.paused += jobs;
  } else {
    queue.waiting += jobs;
    queue.oldest = queue.oldest ? std::min(*queue.oldest, oldest) : oldest;
  }
}

Result<std::vector<TenantQueue>> read_tenants(db::Transaction& transaction) {
  const auto rows = transaction.query(
      "SELECT tenant, state, COUNT(*), MIN(created_at) FROM jobs WHERE state IN ('scheduled', 'queued', "
      "'running', 'paused', 'retry_wait', 'cancelling') GROUP BY tenant, state ORDER BY tenant");
  if (!rows) return trawl::fail(rows.error());
  std::vector<TenantQueue> out;
  for (const db::Row& row : *rows) {
    if (out.empty() || out.back().tenant != row.text(0)) out.push_back({.tenant = row.text(0)});
    count(out.back(), parse_enum<State>(row.text(1)).value_or(State::queued), row.integer(2),
          time_of(row.integer(3)));
  }
  return out;
}

}  // namespace

Task<Result<std::vector<Held>>> Overview::held() {
  co_return co_await database_.read(read_held);
}

Task<Result<std::vector<TenantQueue>>> Overview::tenants() {
  co_return co_await database_.read(read_tenants);
}

Task<Result<std::vector<Breaker>>> Overview::breakers() {
  co_return co_await database_.read(detail::all_breakers);
}

}  // namespace trawl::jobs
