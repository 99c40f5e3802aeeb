#include "downloads/batches.h"

#include <fmt/format.h>

#include "access/usage.h"
#include "jobs/job_row.h"
#include "net/url.h"

namespace trawl::downloads {
namespace {

using jobs::State;
using std::chrono::steady_clock;

constexpr std::int64_t kAtOnce = 100;  // Children in one transaction.

std::unexpected<Error> refused(const Batch& batch, std::string_view what, std::string_view reason) {
  return fail(Errc::conflict, fmt::format("{} is {}{}", batch.id, batch_status(batch), what), reason);
}

Result<void> update(db::Transaction& transaction, const Batch& batch, std::string_view changes,
                    std::vector<db::Value> values, SystemTime now) {
  values.emplace_back(jobs::to_millis(now));
  values.emplace_back(batch.id);
  const auto changed =
      transaction.execute(fmt::format("UPDATE batches SET {}, settled = 0, updated_at = ${} WHERE id = ${}",
                                      changes, values.size() - 1, values.size()),
                          values);
  if (!changed) return fail(changed.error());
  return {};
}

// A child that moved on by itself meanwhile needs nothing more.
Result<void> unless_moved_on(Result<State> result) {
  if (result || result.error().code == Errc::conflict || result.error().code == Errc::not_found) return {};
  return fail(std::move(result.error()));
}

// Of a batch that was made in this transaction: none of them has anything to show yet.
Result<Batches::Children> new_children(db::Transaction& transaction, const Batch& batch) {
  auto jobs = list_children(transaction, batch.id, 0, kMaxUrls);
  if (!jobs) return fail(jobs.error());
  Batches::Children out{batch, {}};
  for (jobs::Job& job : *jobs) {
    auto request = decode_own<media::DownloadRequest>(job.request, "request");
    if (!request) return fail(request.error());
    out.downloads.push_back({std::move(job), std::move(*request), {}});
  }
  return out;
}

}  // namespace

Task<Result<Batch>> Batches::submit(BatchRequest request, std::string tenant, Then then) {
  if (auto checked = check_batch(request); !checked) co_return fail(checked.error());
  if (auto accepted = co_await downloads_.check(request, tenant); !accepted) co_return fail(accepted.error());
  const bool listed = source_of(request) != BatchSource::urls;
  if (listed) request.urls.clear();
  for (std::string& url : request.urls) url = trim(url);
  for (const std::string& url : listed ? std::vector{*request.url} : request.urls) {
    const auto parsed = net::parse_url(trim(url));
    if (!parsed) co_return fail(parsed.error());
    if (auto allowed = policy_.judge_url(*parsed); !allowed) co_return fail(allowed.error());
  }

  Batch batch{.id = make_batch_id(clock_.now()),
              .tenant = std::move(tenant),
              .request = std::move(request),
              .expansion = listed ? Expansion::pending : Expansion::done,
              .created_at = clock_.now()};
  auto made = co_await database_.write([&, listed](db::Transaction& transaction) -> Result<Batch> {
    if (auto inserted = insert_batch(transaction, batch,
                                     listed ? slots_while_listing(batch.request) : batch.request.concurrency);
        !inserted)
      return fail(inserted.error());
    std::int64_t index = 0;
    for (const std::string& url : batch.request.urls) {
      const media::Entry entry{.url = url, .index = ++index};
      if (auto added = insert_child(transaction, store_, batch, entry, {}, fmt::format("{:010}", index));
          !added)
        return fail(added.error());
    }
    if (auto counted = access::Quotas::count_jobs(transaction, batch.tenant, index); !counted)
      return fail(counted.error());
    transaction.on_commit([this] { changed_.notify_all(); });
    auto found = find_batch(transaction, batch.id);
    if (!found || !then) return found;
    const auto children = new_children(transaction, *found);
    if (!children) return fail(children.error());
    if (auto done = then(transaction, *children); !done) return fail(done.error());
    return found;
  });
  co_return made;
}

Task<Result<Batch>> Batches::find(std::string id) {
  co_return co_await database_.read(
      [id](db::Transaction& transaction) { return find_batch(transaction, id); });
}

Task<Result<BatchPage>> Batches::list(BatchFilter filter) {
  co_return co_await database_.read(
      [filter](db::Transaction& transaction) { return list_batches(transaction, filter); });
}

Task<Result<Batches::Children>> Batches::show(std::string id, std::int64_t offset, std::int64_t limit) {
  using Found = std::pair<Batch, std::vector<jobs::Job>>;
  auto found = co_await database_.read([id, offset, limit](db::Transaction& transaction) -> Result<Found> {
    auto batch = find_batch(transaction, id);
    if (!batch) return fail(batch.error());
    auto jobs = list_children(transaction, id, offset, limit);
    if (!jobs) return fail(jobs.error());
    return Found(std::move(*batch), std::move(*jobs));
  });
  if (!found) co_return fail(found.error());
  Children out{std::move(found->first), {}};
  for (jobs::Job& job : found->second) {
    auto download = co_await downloads_.describe(std::move(job));
    if (!download) co_return fail(download.error());
    out.downloads.push_back(std::move(*download));
  }
  co_return out;
}

Task<Result<Batch>> Batches::await_expansion(std::string id, std::chrono::milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (true) {
    auto batch = co_await find(id);
    const auto now = steady_clock::now();
    if (!batch || batch->expansion != Expansion::pending || now >= deadline) co_return batch;
    co_await changed_.wait_for(
        std::min<steady_clock::duration>(deadline - now, std::chrono::milliseconds(100)));
  }
}

Task<Result<Batch>> Batches::order(std::string id,
                                   std::function<Result<void>(db::Transaction&, const Batch&)> write) {
  co_return co_await database_.write(
      [this, id, write = std::move(write)](db::Transaction& transaction) -> Result<Batch> {
        // Held to the end of the transaction, so that orders come one after the other.
        const auto held = transaction.execute("UPDATE batches SET intent = intent WHERE id = $1", {id});
        if (!held) return fail(held.error());
        const auto batch = find_batch(transaction, id);
        if (!batch) return fail(batch.error());
        if (auto written = write(transaction, *batch); !written) return fail(written.error());
        transaction.on_commit([this] { changed_.notify_all(); });
        return find_batch(transaction, id);
      });
}

Task<Result<std::int64_t>> Batches::for_children(std::string id, std::vector<State> states, Change change) {
  std::int64_t done = 0;
  std::optional<JobId> last;
  while (true) {
    const auto step =
        co_await database_.write([&](db::Transaction& transaction) -> Result<std::vector<JobId>> {
          auto jobs = children_in(transaction, id, states, last, kAtOnce);
          if (!jobs) return jobs;
          for (const JobId& job : *jobs) {
            if (auto changed = change(transaction, job); !changed) return fail(changed.error());
          }
          return jobs;
        });
    if (!step) co_return fail(step.error());
    done += std::ssize(*step);
    if (std::ssize(*step) < kAtOnce) co_return done;
    last = step->back();
  }
}

// A listing under way loses its fence, so no child is added behind the last one cancelled.
Task<Result<std::int64_t>> Batches::cancel(std::string id) {
  const auto ordered =
      co_await order(id, [this](db::Transaction& transaction, const Batch& batch) -> Result<void> {
        if (batch_ended(batch)) return refused(batch, " already", "already_final");
        return update(transaction, batch,
                      "intent = 'cancel', slots = 0, expansion = 'done', epoch = epoch + 1", {},
                      clock_.now());
      });
  if (!ordered) co_return fail(ordered.error());
  // BatchKeeper may do a part of it.
  if (const auto done = co_await cancel_children(id); !done) co_return fail(done.error());
  co_return ordered->counts.open();
}

Task<Result<std::int64_t>> Batches::cancel_children(std::string id) {
  co_return co_await for_children(
      std::move(id), {State::scheduled, State::queued, State::running, State::paused, State::retry_wait},
      [this](db::Transaction& transaction, const JobId& job) {
        return unless_moved_on(store_.cancel(transaction, job));
      });
}

Task<Result<Batch>> Batches::pause(std::string id) {
  const auto ordered =
      co_await order(id, [this](db::Transaction& transaction, const Batch& batch) -> Result<void> {
        if (batch_ended(batch)) return refused(batch, " already", "already_final");
        if (batch.intent == Intent::cancel || batch.intent == Intent::stop)
          return refused(batch, " and being cancelled", "being_cancelled");
        return update(transaction, batch, "intent = 'pause', slots = 0, epoch = epoch + 1, lease_until = 0",
                      {}, clock_.now());
      });
  if (!ordered) co_return fail(ordered.error());
  const auto paused =
      co_await for_children(id, {State::running}, [this](db::Transaction& transaction, const JobId& job) {
        return unless_moved_on(store_.pause(transaction, job));
      });
  if (!paused) co_return fail(paused.error());
  co_return co_await find(id);
}

Task<Result<Batch>> Batches::resume(std::string id) {
  const auto ordered =
      co_await order(id, [this](db::Transaction& transaction, const Batch& batch) -> Result<void> {
        if (batch.intent != Intent::pause && batch.counts.paused == 0)
          return refused(batch, ", not paused", "not_paused");
        const bool listing = batch.expansion == Expansion::pending;
        return update(
            transaction, batch, "intent = 'run', slots = $1",
            {std::int64_t{listing ? slots_while_listing(batch.request) : batch.request.concurrency}},
            clock_.now());
      });
  if (!ordered) co_return fail(ordered.error());
  const auto resumed = co_await for_children(id, {State::paused, State::running},
                                             [this](db::Transaction& transaction, const JobId& job) {
                                               return unless_moved_on(store_.resume(transaction, job));
                                             });
  if (!resumed) co_return fail(resumed.error());
  co_return co_await find(id);
}

Task<Result<std::int64_t>> Batches::retry(std::string id) {
  const auto ordered =
      co_await order(id, [this](db::Transaction& transaction, const Batch& batch) -> Result<void> {
        const bool listing = batch.expansion == Expansion::failed;
        if (!listing && batch.counts.failed + batch.counts.cancelled == 0)
          return refused(batch, " and has nothing to retry", "not_retryable");
        return update(
            transaction, batch,
            listing ? "intent = 'run', expansion = 'pending', failures = 0, not_before = 0, lease_until = 0,"
                      " error_code = NULL, error_message = NULL, slots = $1"
                    : "intent = 'run', slots = $1",
            {std::int64_t{listing ? slots_while_listing(batch.request) : batch.request.concurrency}},
            clock_.now());
      });
  if (!ordered) co_return fail(ordered.error());
  co_return co_await for_children(id, {State::failed, State::dead, State::cancelled, State::expired},
                                  [this](db::Transaction& transaction, const JobId& job) {
                                    return unless_moved_on(store_.retry(transaction, job));
                                  });
}

Task<Result<void>> Batches::remove(std::string id) {
  co_return co_await database_.write([id](db::Transaction& transaction) -> Result<void> {
    const auto batch = find_batch(transaction, id);
    if (!batch) return fail(batch.error());
    if (!batch_ended(*batch)) return refused(*batch, " still; cancel it first", "not_final");
    for (const char* statement :
         {"UPDATE jobs SET batch_id = NULL WHERE batch_id = $1", "DELETE FROM batches WHERE id = $1"}) {
      if (const auto done = transaction.execute(statement, {id}); !done) return fail(done.error());
    }
    return {};
  });
}

Task<Result<std::vector<events::Event>>> Batches::steps_since(std::string id, std::int64_t after,
                                                              std::int64_t limit) {
  using Steps = std::vector<events::Event>;
  co_return co_await database_.read([id, after, limit](db::Transaction& transaction) -> Result<Steps> {
    const auto rows = transaction.query(
        "SELECT e.seq, e.job_id, e.at, e.data FROM events e WHERE e.seq > $1 AND e.type = 'status'"
        " AND (SELECT j.batch_id FROM jobs j WHERE j.id = e.job_id) = $2 ORDER BY e.seq LIMIT $3",
        {after, id, limit});
    if (!rows) return fail(rows.error());
    Steps steps;
    for (const db::Row& row : *rows) {
      const auto job = JobId::parse(row.text(1));
      const auto data = parse_json(row.text(3));
      if (!job || !data || !data->is_object())
        return fail(Errc::internal, fmt::format("the recorded event {} is damaged", row.integer(0)));
      steps.push_back({row.integer(0), *job, events::Type::status, SystemTime(Millis(row.integer(2))),
                       data->get_object()});
    }
    return steps;
  });
}

Task<Result<std::int64_t>> Batches::newest_seq() {
  co_return co_await database_.read([](db::Transaction& transaction) -> Result<std::int64_t> {
    const auto rows = transaction.query("SELECT COALESCE(MAX(seq), 0) FROM events");
    if (!rows) return fail(rows.error());
    return rows->front().integer(0);
  });
}

}  // namespace trawl::downloads
