#include "access/usage.h"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace trawl::access {
namespace {

std::tm calendar(SystemTime time) {
  return fmt::gmtime(std::chrono::system_clock::to_time_t(time));
}

Result<void> add(db::Transaction& transaction, const std::string& owner, std::int64_t jobs,
                 std::int64_t bytes, SystemTime now) {
  for (const std::string& period : {day_of(now), month_of(now)}) {
    const auto added = transaction.execute(
        "INSERT INTO usage (owner, period, jobs, bytes) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (owner, period) DO UPDATE SET jobs = usage.jobs + $3, "
        "bytes = usage.bytes + $4",
        {owner, period, jobs, bytes});
    if (!added) return fail(added.error());
  }
  return {};
}

Result<UsageReport> report_in(db::Transaction& transaction, const std::string& owner, SystemTime now) {
  UsageReport report{.owner = owner, .day = {.period = day_of(now)}, .month = {.period = month_of(now)}};
  const auto rows = transaction.query(
      "SELECT period, jobs, bytes FROM usage WHERE owner = "
      "$1 AND period IN ($2, $3)",
      {owner, report.day.period, report.month.period});
  if (!rows) return fail(rows.error());
  for (const db::Row& row : *rows) {
    Used& used = row.text(0) == report.day.period ? report.day : report.month;
    used.jobs = row.integer(1), used.bytes = row.integer(2);
  }
  const auto limits = transaction.query(
      "SELECT jobs_per_day, jobs_per_month, bytes_per_day, "
      "bytes_per_month FROM api_keys WHERE id = $1",
      {owner});
  if (!limits) return fail(limits.error());
  if (limits->empty()) return report;
  const db::Row& row = limits->front();
  report.day.jobs_limit = row.maybe_integer(0), report.month.jobs_limit = row.maybe_integer(1);
  report.day.bytes_limit = row.maybe_integer(2), report.month.bytes_limit = row.maybe_integer(3);
  return report;
}

}  // namespace

std::string day_of(SystemTime time) {
  return fmt::format("{:%Y-%m-%d}", calendar(time));
}
std::string month_of(SystemTime time) {
  return fmt::format("{:%Y-%m}", calendar(time));
}

Result<void> check_quota(const UsageReport& report) {
  for (const auto& [used, per] : {std::pair{&report.day, "day"}, {&report.month, "month"}}) {
    if (used->jobs_limit && used->jobs > *used->jobs_limit)
      return fail(Errc::rate_limited,
                  fmt::format("this key may create {} downloads a {}; all are used", *used->jobs_limit, per),
                  "quota_exceeded");
    if (used->bytes_limit && used->bytes >= *used->bytes_limit)
      return fail(Errc::rate_limited,
                  fmt::format("this key may download {} bytes a {}; all are used", *used->bytes_limit, per),
                  "quota_exceeded");
  }
  return {};
}

Result<void> Quotas::count_jobs(db::Transaction& transaction, const std::string& owner, std::int64_t jobs) {
  if (owner.empty()) return {};
  const SystemTime now = transaction.now();
  if (auto added = add(transaction, owner, jobs, 0, now); !added) return added;
  const auto report = report_in(transaction, owner, now);
  if (!report) return fail(report.error());
  return check_quota(*report);
}

Result<std::optional<std::int64_t>> Quotas::jobs_left(db::Transaction& transaction,
                                                      const std::string& owner) {
  if (owner.empty()) return std::nullopt;
  const auto report = report_in(transaction, owner, transaction.now());
  if (!report) return fail(report.error());
  std::optional<std::int64_t> left;
  for (const Used* used : {&report->day, &report->month}) {
    const bool bytes_used = used->bytes_limit && used->bytes >= *used->bytes_limit;
    if (!used->jobs_limit && !bytes_used) continue;
    const std::int64_t here = bytes_used ? 0 : std::max<std::int64_t>(0, *used->jobs_limit - used->jobs);
    left = std::min(left.value_or(here), here);
  }
  return left;
}

Result<void> Quotas::count_bytes(db::Transaction& transaction, const std::string& owner, std::int64_t bytes) {
  return add(transaction, owner, 0, bytes, transaction.now());
}

Task<Result<UsageReport>> Quotas::report(std::string owner) {
  co_return co_await database_.read(
      [owner](db::Transaction& transaction) { return report_in(transaction, owner, transaction.now()); });
}

}  // namespace trawl::access
