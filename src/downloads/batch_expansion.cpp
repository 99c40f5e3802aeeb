#include "downloads/batch_expansion.h"

#include <cmath>

#include <fmt/format.h>

#include "base/log.h"
#include "downloads/batch_intake.h"
#include "jobs/job_row.h"
#include "jobs/turn.h"

namespace trawl::downloads {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAtOnce = 2;
constexpr Millis kLease = 10min;  // Renewed with each page, which may take Lister's page_timeout.
constexpr int kMaxFailures = 3;
constexpr std::size_t kRowsAtOnce = 100;

Millis delay_after(int failures) {
  return Millis(static_cast<std::int64_t>(5000 * std::pow(3, failures)));
}

std::unexpected<Error> fenced(const std::string& batch) {
  return fail(Errc::conflict, fmt::format("{} is listed by somebody else, or not wanted any more", batch),
              "fenced");
}

// With an order of its own the children of a batch get their turns only when all are there.
Result<void> put_in_order(db::Transaction& transaction, const Batch& batch) {
  if (!Selector(batch.request).reorders()) return {};
  const auto turned = transaction.execute(
      fmt::format("UPDATE jobs SET turn = $1 + places.place FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY "
                  "batch_rank {0},"
                  " id {0}) AS place FROM jobs WHERE batch_id = $2) AS places WHERE jobs.id = places.id",
                  batch.request.reverse ? "DESC" : "ASC"),
      {jobs::turn_of(transaction.now(), batch.request.priority), batch.id});
  if (!turned) return fail(turned.error());
  return {};
}

// A job can be made of it.
bool usable(const media::Entry& entry) {
  return entry.url.size() <= 8192 && !media::check_http_url(entry.url);
}

}  // namespace

// One listing of one batch.
class BatchExpansion::Listing {
 public:
  Listing(BatchExpansion& owner, const Claimed& claimed)
      : owner_(owner),
        claimed_(claimed),
        selector_(claimed.batch.request),
        intake_(owner.store_, claimed.batch, selector_),
        collects_(selector_.reorders() && claimed.batch.request.max_downloads && !claimed.batch.baseline),
        first_(selector_, static_cast<std::size_t>(claimed.batch.request.max_downloads.value_or(0))) {}

  // True when more pages are wanted.
  Task<Result<bool>> look(media::Listed page) {
    playlist_ = playlist_fields(page.playlist);
    title_ = page.playlist.title;
    bool past_end = false;
    std::vector<media::Entry> wanted;
    for (media::Entry& entry : page.entries) {
      listed_ = std::max(listed_, entry.index);
      past_end = past_end || selector_.past_end(entry.index);
      if (usable(entry) && (claimed_.batch.baseline || selector_.wants(entry)))
        wanted.push_back(std::move(entry));
    }
    if (auto taken = co_await take(wanted, collects_); !taken) co_return fail(taken.error());
    const auto enough = claimed_.batch.request.stop_after_known;
    co_return !past_end && !(intake_.full() && !selector_.reorders()) &&
        !(enough && intake_.known_in_a_row() >= *enough);
  }

  // What could be chosen only at the end.
  Task<Result<void>> end() {
    std::vector<media::Entry> chosen = first_.take();
    for (std::size_t from = 0; from < chosen.size(); from += kRowsAtOnce) {
      const auto begin = chosen.begin() + static_cast<std::ptrdiff_t>(from);
      const auto size = static_cast<std::ptrdiff_t>(std::min(kRowsAtOnce, chosen.size() - from));
      std::vector<media::Entry> part(begin, begin + size);
      if (auto taken = co_await take(part, false); !taken) co_return taken;
    }
    if (!intake_.over_quota()) co_return co_await owner_.finish(claimed_, {});
    // Asking again would not help until the next day.
    const Error error{Errc::forbidden, "the key may create no more downloads; the rest is left out",
                      "quota_exceeded"};
    if (intake_.children() == 0) co_return fail(error);
    co_return co_await owner_.finish(claimed_, error);
  }

 private:
  // Adds the jobs of a page's entries, or, where the choice comes last, only puts them to it.
  Task<Result<void>> take(std::vector<media::Entry>& entries, bool collect) {
    co_return co_await owner_.database_.write(
        [this, &entries, collect](db::Transaction& transaction) -> Result<void> {
          const SystemTime now = transaction.now();
          const auto held = transaction.execute(
              "UPDATE batches SET listed = $1, title = $2, lease_until = $3, updated_at = $4"
              " WHERE id = $5 AND epoch = $6 AND expansion = 'pending'",
              {listed_, to_valid_utf8(title_), jobs::to_millis(now + kLease), jobs::to_millis(now),
               claimed_.batch.id, claimed_.epoch});
          if (!held) return fail(held.error());
          if (*held == 0) return fenced(claimed_.batch.id);
          if (auto begun = intake_.begin(transaction); !begun) return begun;
          for (const media::Entry& entry : entries) {
            const auto wanted = intake_.wants(transaction, entry);
            if (!wanted) return fail(wanted.error());
            if (!*wanted) continue;
            auto taken = Result<void>();
            if (collect)
              first_.offer(entry);
            else
              taken = intake_.take(transaction, entry, playlist_);
            if (!taken) return taken;
          }
          if (auto added = intake_.count(transaction); !added) return added;
          const auto counted = transaction.execute("UPDATE batches SET skipped = $1 WHERE id = $2",
                                                   {intake_.skipped(), claimed_.batch.id});
          if (!counted) return fail(counted.error());
          return {};
        });
  }

  BatchExpansion& owner_;
  const Claimed& claimed_;
  Selector selector_;
  BatchIntake intake_;
  bool collects_;
  FirstEntries first_;
  json::object playlist_;
  std::string title_;
  std::int64_t listed_ = 0;
};

Task<Result<void>> BatchExpansion::take_back() {
  co_return co_await database_.write([](db::Transaction& transaction) -> Result<void> {
    const auto freed =
        transaction.execute("UPDATE batches SET lease_until = 0 WHERE expansion = 'pending' AND settled = 0");
    if (!freed) return fail(freed.error());
    return {};
  });
}

void BatchExpansion::start() {
  scope_.spawn("expand batches", run());
}

Task<void> BatchExpansion::run() {
  while (!scope_.closing()) {
    if (running_ >= kAtOnce) {
      co_await slot_freed_.wait_for(1s);
      continue;
    }
    auto claimed = co_await claim();
    if (!claimed) log_error("cannot look for batches to list", {{"error", claimed.error().message}});
    if (!claimed || !*claimed) {
      co_await batches_.changed().wait_for(1s);
      continue;
    }
    ++running_;
    scope_.spawn("list a playlist", expand(std::move(**claimed)));
  }
}

Task<Result<std::optional<BatchExpansion::Claimed>>> BatchExpansion::claim() {
  using Found = std::optional<Claimed>;
  const auto due = co_await database_.read([](db::Transaction& transaction) {
    return transaction.query(
        "SELECT id FROM batches WHERE settled = 0 AND expansion = 'pending' AND intent = 'run'"
        " AND lease_until <= $1 AND not_before <= $1 ORDER BY id LIMIT 1",
        {jobs::to_millis(transaction.now())});
  });
  if (!due) co_return fail(due.error());
  if (due->empty()) co_return Found();
  co_return co_await database_.write(
      [id = due->front().text(0)](db::Transaction& transaction) -> Result<Found> {
        const SystemTime now = transaction.now();
        const auto rows = transaction.query(
            "UPDATE batches SET epoch = epoch + 1, lease_until = $1, updated_at = $2 WHERE id = $3"
            " AND expansion = 'pending' AND intent = 'run' AND lease_until <= $2 RETURNING epoch",
            {jobs::to_millis(now + kLease), jobs::to_millis(now), id});
        if (!rows) return fail(rows.error());
        if (rows->empty()) return Found();
        auto batch = find_batch(transaction, id);
        if (!batch) return fail(batch.error());
        return Found(Claimed{std::move(*batch), rows->front().integer(0)});
      });
}

Task<void> BatchExpansion::expand(Claimed claimed) {
  Listing listing(*this, claimed);
  auto done = co_await list(claimed, listing);
  if (done) done = co_await listing.end();
  if (!done && done.error().reason != "fenced") co_await give_up(claimed, done.error());
  --running_;
  slot_freed_.notify_all();
  batches_.changed().notify_all();
}

Task<Result<void>> BatchExpansion::list(const Claimed& claimed, Listing& listing) {
  const Batch& batch = claimed.batch;
  Look look{.url = *batch.request.url};
  if (batch.request.cookies_id) {
    auto text = co_await cookies_.netscape(*batch.request.cookies_id, batch.tenant);
    if (!text) co_return fail(text.error());
    look.cookies = std::move(*text);
  }
  co_return co_await lister_.read(std::move(look),
                                  [&listing](media::Listed page) { return listing.look(std::move(page)); });
}

// Until now none of those that wait for their order was handed out.
Task<Result<void>> BatchExpansion::finish(const Claimed& claimed, std::optional<Error> shortened) {
  using Text = std::optional<std::string>;
  co_return co_await database_.write([&, this](db::Transaction& transaction) -> Result<void> {
    const BatchRequest& request = claimed.batch.request;
    const SystemTime now = transaction.now();
    const auto ended = transaction.execute(
        "UPDATE batches SET expansion = 'done', slots = $1, error_code = $2, error_message = $3,"
        " updated_at = $4 WHERE id = $5 AND epoch = $6 AND expansion = 'pending'",
        {std::int64_t{request.concurrency}, db::null_or(shortened ? Text(shortened->reason) : Text()),
         db::null_or(shortened ? Text(shortened->message) : Text()), jobs::to_millis(now), claimed.batch.id,
         claimed.epoch});
    if (!ended) return fail(ended.error());
    if (*ended == 0) return fenced(claimed.batch.id);
    transaction.on_commit([this] { store_.bell().ring(); });
    return put_in_order(transaction, claimed.batch);
  });
}

Task<void> BatchExpansion::give_up(const Claimed& claimed, Error error) {
  const auto written = co_await database_.write([&](db::Transaction& transaction) -> Result<void> {
    const auto rows = transaction.query("SELECT failures FROM batches WHERE id = $1 AND epoch = $2",
                                        {claimed.batch.id, claimed.epoch});
    if (!rows) return fail(rows.error());
    if (rows->empty()) return fenced(claimed.batch.id);
    const auto failures = static_cast<int>(rows->front().integer(0));
    const bool again = retryable(error.code) && failures + 1 < kMaxFailures;
    const SystemTime now = transaction.now();
    const auto told = transaction.execute(
        "UPDATE batches SET expansion = $1, failures = failures + 1, not_before = $2, lease_until = 0, "
        "error_code = $3,"
        " error_message = $4, updated_at = $5 WHERE id = $6 AND epoch = $7 AND expansion = 'pending'",
        {std::string(again ? "pending" : "failed"), jobs::to_millis(now + delay_after(failures)),
         error.reason, to_valid_utf8(error.message), jobs::to_millis(now), claimed.batch.id, claimed.epoch});
    if (!told) return fail(told.error());
    if (again || *told == 0) return {};
    // What was found before is downloaded all the same.
    const auto opened =
        transaction.execute("UPDATE batches SET slots = $1 WHERE id = $2",
                            {std::int64_t{claimed.batch.request.concurrency}, claimed.batch.id});
    if (!opened) return fail(opened.error());
    transaction.on_commit([this] { store_.bell().ring(); });
    return put_in_order(transaction, claimed.batch);
  });
  if (!written && written.error().reason != "fenced")
    log_error("cannot say that a listing failed",
              {{"batch", claimed.batch.id}, {"error", written.error().message}});
}

}  // namespace trawl::downloads
