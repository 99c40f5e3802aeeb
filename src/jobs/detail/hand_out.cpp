#include "jobs/detail/hand_out.h"

#include <algorithm>

#include <fmt/format.h>

#include "jobs/detail/breakers.h"
#include "jobs/job_row.h"

namespace trawl::jobs::detail {
namespace {

// Hand-outs decide over all running jobs together, so the nodes take turns; SQLite's writers do anyway.
constexpr std::string_view kTakeTurn = "SELECT 1 /*pg , pg_advisory_xact_lock(500069722477)*/";

constexpr std::string_view kRunning =
    "SELECT tenant, origin, COUNT(*) FROM jobs WHERE state IN ('running', 'cancelling') GROUP BY tenant, "
    "origin";

// How many more of each open batch may start: none while it is paused, and none once a child has failed where
// one failure is to stop the others.
constexpr std::string_view kBatchRoom =
    "SELECT b.id, b.slots - (SELECT COUNT(*) FROM jobs r WHERE r.batch_id = b.id AND r.state IN "
    "('running', 'cancelling')),"
    " CASE WHEN b.stop_on_error = 1 AND EXISTS (SELECT 1 FROM jobs f WHERE f.batch_id = b.id"
    " AND f.state IN ('failed', 'dead', 'expired') AND COALESCE(f.error_code, '') NOT IN"
    " ('filtered_out', 'already_downloaded')) THEN 1 ELSE 0 END FROM batches b WHERE b.settled = 0";

constexpr std::string_view kTurns = "SELECT tenant, served FROM tenant_turns";

constexpr std::string_view kTenants =
    "WITH RECURSIVE tenants (tenant) AS ("
    "SELECT (SELECT tenant FROM jobs WHERE state = 'queued' ORDER BY tenant LIMIT 1) UNION ALL "
    "SELECT (SELECT j.tenant FROM jobs j WHERE j.state = 'queued' AND j.tenant > tenants.tenant"
    " ORDER BY j.tenant LIMIT 1) FROM tenants WHERE tenants.tenant IS NOT NULL) "
    "SELECT tenant FROM tenants";

void count_running(Load& load, const std::vector<db::Row>& rows) {
  for (const db::Row& row : rows) {
    const auto count = static_cast<int>(row.integer(2));
    load.by_tenant[row.text(0)] += count;
    load.by_origin[row.text(1)] += count;
  }
}

// Batches and origins that have no room, which the database need not even look at.
std::vector<std::string> full_batches(const Load& load) {
  std::vector<std::string> out;
  for (const auto& [batch, left] : load.batch_room) {
    if (left == 0) out.push_back(batch);
  }
  return out;
}

std::vector<std::string> full_origins(const Load& load, const Caps& caps) {
  std::vector<std::string> out;
  for (const auto& [origin, count] : load.by_origin) {
    if (caps.per_origin > 0 && count >= caps.per_origin && !origin.empty()) out.push_back(origin);
  }
  for (const auto& [origin, left] : load.room) {
    if (left == 0) out.push_back(origin);
  }
  return out;
}

db::Statement head_of(const std::string& tenant, std::size_t limit, const Load& load, const Caps& caps) {
  std::vector<db::Value> parameters{tenant, static_cast<std::int64_t>(limit)};
  const auto list = [&parameters](const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) {
      parameters.emplace_back(name);
      out += fmt::format("{}${}", out.empty() ? "" : ", ", parameters.size());
    }
    return out;
  };
  std::string without;
  if (const auto origins = full_origins(load, caps); !origins.empty())
    without += fmt::format(" AND origin NOT IN ({})", list(origins));
  if (const auto batches = full_batches(load); !batches.empty())
    without += fmt::format(" AND (batch_id IS NULL OR batch_id NOT IN ({}))", list(batches));
  // Not correlated, so that it is made once.
  return {
      fmt::format(
          "SELECT id, tenant, origin, priority, turn, batch_id, fingerprint FROM jobs"
          " WHERE state = 'queued' AND tenant = $1 AND fingerprint NOT IN (SELECT f.fingerprint FROM jobs f"
          " WHERE f.state IN ('running', 'cancelling') AND f.fingerprint <> ''){}"
          " ORDER BY turn, id LIMIT $2",
          without),
      std::move(parameters)};
}

}  // namespace

Result<Scene> survey(db::Transaction& transaction, db::Statement due, SystemTime now) {
  std::vector<db::Statement> statements;
  statements.push_back({std::string(kTakeTurn)});
  statements.push_back(std::move(due));
  for (const std::string_view sql : {kRunning, kBatchRoom, kTurns}) statements.push_back({std::string(sql)});
  statements.push_back(open_breakers());
  auto answers = transaction.query_all(std::move(statements));
  if (!answers) return trawl::fail(answers.error());
  enum { turn, due_jobs, running, batches, turns, breakers };
  Scene scene;
  scene.due = std::move(answers->at(due_jobs));
  scene.breakers = read_breakers(answers->at(breakers));
  Load& load = scene.load;
  count_running(load, answers->at(running));
  for (const db::Row& row : answers->at(batches))
    load.batch_room[row.text(0)] = row.boolean(2) ? 0 : std::max(0, static_cast<int>(row.integer(1)));
  for (const db::Row& row : answers->at(turns)) load.served[row.text(0)] = row.integer(1);
  for (const Breaker& breaker : scene.breakers) {
    if (const auto left = room(breaker, now)) load.room[breaker.origin] = *left;
  }
  return scene;
}

// Tenants are found by skipping through the index, and each one's head is read off it, so a long queue costs
// nothing. One statement for both would be run by PostgreSQL for every pair of a tenant and a job.
Result<std::vector<Candidate>> heads_of_queues(db::Transaction& transaction, std::size_t limit,
                                               const Load& load, const Caps& caps) {
  const auto tenants = transaction.query(kTenants);
  if (!tenants) return trawl::fail(tenants.error());
  std::vector<db::Statement> heads;
  for (const db::Row& row : *tenants) {
    if (!row.null(0)) heads.push_back(head_of(row.text(0), limit, load, caps));
  }
  if (heads.empty()) return std::vector<Candidate>();
  const auto answers = transaction.query_all(std::move(heads));
  if (!answers) return trawl::fail(answers.error());
  std::vector<Candidate> out;
  for (const auto& rows : *answers) {
    for (const db::Row& row : rows) {
      const auto id = JobId::parse(row.text(0));
      if (!id) return trawl::fail(id.error());
      out.push_back({*id, row.text(1), row.text(2), static_cast<int>(row.integer(3)), row.integer(4),
                     row.maybe_text(5).value_or(""), row.text(6)});
    }
  }
  return out;
}

void write_turns(db::Transaction& transaction, const Load& load, SystemTime now) {
  for (const auto& [tenant, served] : load.served) {
    if (served < to_millis(now) * 1000) continue;
    transaction.later(
        {"INSERT INTO tenant_turns (tenant, served) VALUES ($1, $2)"
         " ON CONFLICT (tenant) DO UPDATE SET served = excluded.served",
         {tenant, served}});
  }
}

}  // namespace trawl::jobs::detail
