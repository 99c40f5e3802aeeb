#include "downloads/batch_rows.h"

#include <algorithm>

#include <fmt/format.h>

#include "downloads/single_flight.h"
#include "jobs/job_row.h"
#include "net/url.h"

namespace trawl::downloads {
namespace {

constexpr std::string_view kColumns =
    "id, tenant, subscription_id, request, title, expansion, intent, listed, skipped, error_code, "
    "error_message, created_at, updated_at, baseline";

// The error codes of children whose entry turned out not to be wanted (pipeline.cpp).
constexpr std::string_view kLeftOut = "('filtered_out', 'already_downloaded')";

SystemTime time_of(std::int64_t millis) {
  return SystemTime(Millis(millis));
}

void keep(std::optional<SystemTime>& out, std::optional<std::int64_t> millis, bool earliest) {
  if (!millis) return;
  const SystemTime time = time_of(*millis);
  if (!out || (earliest ? time < *out : time > *out)) out = time;
}

void count(BatchCounts& counts, jobs::State state, bool left_out, std::int64_t number) {
  const std::string_view status = jobs::api_status(state);
  if (left_out)
    counts.skipped += number;
  else if (status == "queued")
    counts.queued += number;
  else if (status == "running")
    counts.running += number;
  else if (status == "paused")
    counts.paused += number;
  else if (status == "completed")
    counts.completed += number;
  else if (status == "cancelled")
    counts.cancelled += number;
  else
    counts.failed += number;
}

Result<void> read_children(db::Transaction& transaction, Batch& batch) {
  const auto rows = transaction.query(
      fmt::format("SELECT state, CASE WHEN error_code IN {} THEN 1 ELSE 0 END, COUNT(*), MIN(started_at),"
                  " MAX(completed_at) FROM jobs WHERE batch_id = $1 GROUP BY 1, 2",
                  kLeftOut),
      {batch.id});
  if (!rows) return fail(rows.error());
  for (const db::Row& row : *rows) {
    const auto state = parse_enum<jobs::State>(row.text(0));
    if (!state) return fail(Errc::internal, fmt::format("a job has the unknown state {}", row.text(0)));
    count(batch.counts, *state, row.boolean(1), row.integer(2));
    keep(batch.started_at, row.maybe_integer(3), true);
    keep(batch.completed_at, row.maybe_integer(4), false);
  }
  if (!batch_ended(batch))
    batch.completed_at.reset();
  else if (!batch.completed_at)
    batch.completed_at = batch.updated_at;
  return {};
}

Result<Batch> read_batch(db::Transaction& transaction, const db::Row& row) {
  Batch batch;
  batch.id = row.text(0);
  batch.tenant = row.text(1);
  batch.subscription = row.maybe_text(2);
  const auto document = parse_json(row.text(3));
  auto request = document ? decode_own<BatchRequest>(*document, "the request of " + batch.id)
                          : Result<BatchRequest>(fail(document.error()));
  const auto expansion = parse_enum<Expansion>(row.text(5));
  const auto intent = parse_enum<Intent>(row.text(6));
  if (!request || !expansion || !intent)
    return fail(Errc::internal, fmt::format("the row of {} is damaged", batch.id));
  batch.request = std::move(*request);
  batch.title = row.text(4);
  batch.expansion = *expansion;
  batch.intent = *intent;
  batch.listed = row.integer(7);
  batch.skipped = row.integer(8);
  batch.error_code = row.maybe_text(9);
  batch.error_message = row.maybe_text(10);
  batch.created_at = time_of(row.integer(11));
  batch.updated_at = time_of(row.integer(12));
  batch.baseline = row.boolean(13);
  if (auto read = read_children(transaction, batch); !read) return fail(read.error());
  return batch;
}

std::string host_of(const std::string& url) {
  const auto parsed = net::parse_url(url);
  return parsed ? parsed->host : "";
}

}  // namespace

std::string make_batch_id(SystemTime now) {
  std::string hex = Uuid::make(now).str();
  std::erase(hex, '-');
  return "batch_" + hex;
}

Result<void> insert_batch(db::Transaction& transaction, const Batch& batch, int slots) {
  const auto inserted = transaction.execute(
      "INSERT INTO batches (id, tenant, subscription_id, request, title, expansion, intent, slots, "
      "stop_on_error, baseline, created_at, updated_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
      {batch.id, batch.tenant, db::null_or(batch.subscription), json::serialize(encode(batch.request)),
       batch.title, std::string(to_text(batch.expansion)), std::string(to_text(batch.intent)),
       std::int64_t{slots}, std::int64_t{stops_on_error(batch.request)}, std::int64_t{batch.baseline},
       jobs::to_millis(batch.created_at)});
  if (!inserted) return fail(inserted.error());
  return {};
}

Result<Batch> find_batch(db::Transaction& transaction, const std::string& id) {
  const auto rows = transaction.query(fmt::format("SELECT {} FROM batches WHERE id = $1", kColumns), {id});
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(Errc::not_found, fmt::format("there is no batch {}", to_valid_utf8(id)));
  return read_batch(transaction, rows->front());
}

Result<BatchPage> list_batches(db::Transaction& transaction, const BatchFilter& filter) {
  std::vector<db::Value> parameters;
  std::string where;
  const auto require = [&](std::string_view column, const std::optional<std::string>& value) {
    if (!value) return;
    parameters.emplace_back(*value);
    where += fmt::format("{} {} = ${}", where.empty() ? "WHERE" : " AND", column, parameters.size());
  };
  require("tenant", filter.tenant);
  require("subscription_id", filter.subscription);
  const auto total = transaction.query(fmt::format("SELECT COUNT(*) FROM batches {}", where), parameters);
  if (!total) return fail(total.error());
  parameters.emplace_back(filter.limit);
  parameters.emplace_back(filter.offset);
  const auto rows =
      transaction.query(fmt::format("SELECT {} FROM batches {} ORDER BY id DESC LIMIT ${} OFFSET ${}",
                                    kColumns, where, parameters.size() - 1, parameters.size()),
                        parameters);
  if (!rows) return fail(rows.error());
  BatchPage page{{}, total->front().integer(0)};
  for (const db::Row& row : *rows) {
    auto batch = read_batch(transaction, row);
    if (!batch) return fail(std::move(batch.error()));
    page.batches.push_back(std::move(*batch));
  }
  return page;
}

Result<std::vector<jobs::Job>> list_children(db::Transaction& transaction, const std::string& batch,
                                             std::int64_t offset, std::int64_t limit) {
  const auto parent = transaction.query("SELECT request FROM batches WHERE id = $1", {batch});
  if (!parent) return fail(parent.error());
  const auto request =
      parent->empty() ? Result<json::value>(json::object()) : parse_json(parent->front().text(0));
  if (!request) return fail(request.error());
  const auto* reverse = request->is_object() ? request->get_object().if_contains("reverse") : nullptr;
  const auto rows = transaction.query(
      fmt::format(
          "SELECT {0} FROM jobs WHERE batch_id = $1 ORDER BY batch_rank {1}, id {1} LIMIT $2 OFFSET $3",
          jobs::kListColumns, reverse && *reverse == json::value(true) ? "DESC" : "ASC"),
      {batch, limit, offset});
  if (!rows) return fail(rows.error());
  std::vector<jobs::Job> out;
  for (const db::Row& row : *rows) {
    auto job = jobs::read_job(row);
    if (!job) return fail(std::move(job.error()));
    out.push_back(std::move(*job));
  }
  return out;
}

Result<std::vector<JobId>> children_in(db::Transaction& transaction, const std::string& batch,
                                       const std::vector<jobs::State>& states,
                                       const std::optional<JobId>& after, std::int64_t limit) {
  std::string list;
  for (const jobs::State state : states)
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", to_text(state));
  const auto rows =
      transaction.query(fmt::format("SELECT id FROM jobs WHERE batch_id = $1 AND state IN ({}) AND id > $2"
                                    " AND (error_code IS NULL OR error_code NOT IN {}) ORDER BY id LIMIT $3",
                                    list, kLeftOut),
                        {batch, after ? after->str() : std::string(), limit});
  if (!rows) return fail(rows.error());
  std::vector<JobId> out;
  for (const db::Row& row : *rows) {
    const auto id = JobId::parse(row.text(0));
    if (!id) return fail(id.error());
    out.push_back(*id);
  }
  return out;
}

Result<bool> has_child(db::Transaction& transaction, const std::string& batch, const std::string& key) {
  const auto rows =
      transaction.query("SELECT 1 FROM jobs WHERE batch_id = $1 AND batch_key = $2", {batch, key});
  if (!rows) return fail(rows.error());
  return !rows->empty();
}

Result<void> insert_child(db::Transaction& transaction, jobs::JobStore& store, const Batch& batch,
                          const media::Entry& entry, const json::object& playlist, std::string rank) {
  json::object request = child_request(batch, entry, playlist);
  const auto download = decode_own<media::DownloadRequest>(request, "a child's request");
  if (!download) return fail(download.error());
  const jobs::NewJob job{.kind = "download",
                         .tenant = batch.tenant,
                         .origin = host_of(entry.url),
                         .priority = batch.request.priority,
                         .request = std::move(request),
                         .batch = batch.id,
                         .fingerprint = fingerprint_of(*download, entry.target, batch.tenant)};
  const auto added = store.add(transaction, job);
  if (!added) return fail(added.error());
  transaction.later(
      {"UPDATE jobs SET batch_key = $1, batch_rank = $2 WHERE id = $3",
       {entry_key(entry.extractor, entry.id, entry.url, entry.target), std::move(rank), added->id.str()}});
  return {};
}

Result<std::optional<std::string>> batch_of(db::Transaction& transaction, const JobId& job) {
  const auto rows = transaction.query("SELECT batch_id FROM jobs WHERE id = $1", {job.str()});
  if (!rows) return fail(rows.error());
  return rows->empty() ? std::nullopt : rows->front().maybe_text(0);
}

}  // namespace trawl::downloads
