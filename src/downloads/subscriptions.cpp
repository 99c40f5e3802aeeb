#include "downloads/subscriptions.h"

#include <fmt/format.h>

#include "base/log.h"
#include "net/url.h"

namespace trawl::downloads {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kEmptyRunsKept = 50;
// Keeps other nodes off the row to the end of the transaction: two of them must not begin the same run.
Result<void> hold_subscription(db::Transaction& transaction, const std::string& id) {
  const auto held = transaction.execute("UPDATE subscriptions SET runs = runs WHERE id = $1", {id});
  if (!held) return fail(held.error());
  return {};
}

constexpr auto kLongestNap = 30s;  // Clocks are set, and other processes add subscriptions.

}  // namespace

void Subscriptions::start() {
  scope_.spawn("run subscriptions", run());
}

void Subscriptions::tell() {
  news_ = true;
  changed_.notify_all();
}

Task<Result<void>> Subscriptions::check(SubscriptionRequest request, std::string tenant) {
  if (auto checked = check_subscription(request); !checked) co_return checked;
  const auto parsed = net::parse_url(trim(*request.url));
  if (!parsed) co_return fail(parsed.error());
  if (auto allowed = policy_.judge_url(*parsed); !allowed) co_return fail(allowed.error());
  co_return co_await downloads_.check(request, std::move(tenant));
}

Task<Result<Subscription>> Subscriptions::add(SubscriptionRequest request, std::string tenant, Then then) {
  if (auto checked = co_await check(request, tenant); !checked) co_return fail(checked.error());
  const SystemTime now = clock_.now();
  const Subscription made{.id = make_subscription_id(now),
                          .tenant = std::move(tenant),
                          .request = std::move(request),
                          .created_at = now};
  co_return co_await database_.write(
      [this, made, then = std::move(then)](db::Transaction& transaction) -> Result<Subscription> {
        Subscription subscription = made;
        if (!made.request.paused) subscription.next_run_at = made.created_at;
        if (auto inserted = insert_subscription(transaction, subscription); !inserted)
          return fail(inserted.error());
        auto stored = find_subscription(transaction, made.id);
        if (!stored) return fail(stored.error());
        if (then) {
          if (auto done = then(transaction, *stored); !done) return fail(done.error());
        }
        transaction.on_commit([this] { tell(); });
        return stored;
      });
}

Task<Result<Subscription>> Subscriptions::find(std::string id) {
  co_return co_await database_.read(
      [id](db::Transaction& transaction) { return find_subscription(transaction, id); });
}

Task<Result<SubscriptionPage>> Subscriptions::list(std::optional<std::string> tenant, std::int64_t offset,
                                                   std::int64_t limit) {
  co_return co_await database_.read([tenant, offset, limit](db::Transaction& transaction) {
    return list_subscriptions(transaction, tenant, offset, limit);
  });
}

Task<Result<Subscription>> Subscriptions::change(std::string id, Write write) {
  co_return co_await database_.write(
      [this, id, write = std::move(write)](db::Transaction& transaction) -> Result<Subscription> {
        if (auto held = hold_subscription(transaction, id); !held) return fail(held.error());
        auto subscription = find_subscription(transaction, id);
        if (!subscription) return fail(subscription.error());
        if (auto written = write(transaction, *subscription); !written) return fail(written.error());
        subscription->updated_at = clock_.now();
        if (auto stored = update_subscription(transaction, *subscription); !stored)
          return fail(stored.error());
        transaction.on_commit([this] { tell(); });
        return find_subscription(transaction, id);
      });
}

Task<Result<Subscription>> Subscriptions::update(std::string id, SubscriptionRequest request) {
  const auto found = co_await find(id);
  if (!found) co_return fail(found.error());
  if (auto checked = co_await check(request, found->tenant); !checked) co_return fail(checked.error());
  co_return co_await change(
      id, [this, request = std::move(request)](db::Transaction&, Subscription& subscription) -> Result<void> {
        subscription.request = request;
        const bool begun = subscription.runs > 0;
        subscription.next_run_at =
            request.paused ? std::nullopt
                           : std::optional(begun ? next_run(request, clock_.now()) : clock_.now());
        return {};
      });
}

Task<Result<Subscription>> Subscriptions::set_paused(std::string id, bool paused) {
  co_return co_await change(id, [this, paused](db::Transaction&, Subscription& subscription) -> Result<void> {
    if (subscription.request.paused == paused) return {};
    subscription.request.paused = paused;
    subscription.next_run_at = paused ? std::nullopt : std::optional(clock_.now());
    return {};
  });
}

Task<Result<void>> Subscriptions::remove(std::string id) {
  co_return co_await database_.write([id](db::Transaction& transaction) -> Result<void> {
    const auto found = find_subscription(transaction, id);
    if (!found) return fail(found.error());
    return delete_subscription(transaction, id);
  });
}

Task<Result<BatchPage>> Subscriptions::runs(std::string id, std::int64_t offset, std::int64_t limit) {
  co_return co_await database_.read([id, offset, limit](db::Transaction& transaction) -> Result<BatchPage> {
    const auto found = find_subscription(transaction, id);
    if (!found) return fail(found.error());
    return list_batches(transaction, {.subscription = id, .offset = offset, .limit = limit});
  });
}

Result<Batch> Subscriptions::begin_run(db::Transaction& transaction, Subscription& subscription) {
  const SystemTime now = clock_.now();
  Batch batch{.id = make_batch_id(now),
              .tenant = subscription.tenant,
              .subscription = subscription.id,
              .request = subscription.request,
              .baseline = subscription.request.skip_existing && subscription.runs == 0,
              .created_at = now};
  if (auto inserted = insert_batch(transaction, batch, slots_while_listing(batch.request)); !inserted)
    return fail(inserted.error());
  if (auto pruned = prune_runs(transaction, subscription.id, kEmptyRunsKept); !pruned)
    return fail(pruned.error());
  subscription.last_run_at = now;
  ++subscription.runs;
  transaction.on_commit([this] { batches_.changed().notify_all(); });
  return batch;
}

Task<Result<Batch>> Subscriptions::run_now(std::string id) {
  auto made = std::make_shared<Batch>();
  const auto changed = co_await change(
      id, [this, made](db::Transaction& transaction, Subscription& subscription) -> Result<void> {
        const auto busy = is_being_listed(transaction, subscription.id);
        if (!busy) return fail(busy.error());
        if (*busy)
          return fail(Errc::conflict, fmt::format("{} is being looked at already", subscription.id),
                      "already_running");
        auto batch = begin_run(transaction, subscription);
        if (!batch) return fail(batch.error());
        *made = std::move(*batch);
        return {};
      });
  if (!changed) co_return fail(changed.error());
  co_return std::move(*made);
}

Task<void> Subscriptions::run() {
  while (!scope_.closing()) {
    news_ = false;
    const auto next = co_await run_due();
    if (!next) log_error("cannot look after subscriptions", {{"error", next.error().message}});
    auto nap = std::chrono::duration_cast<std::chrono::steady_clock::duration>(kLongestNap);
    if (!next) nap = 5s;
    if (next && *next)
      nap = std::clamp<std::chrono::steady_clock::duration>(**next - clock_.now(), 10ms, nap);
    if (!news_) co_await changed_.wait_for(nap);
  }
}

// A run that is due while the one before still lists is left out: it would find the same.
Task<Result<std::optional<SystemTime>>> Subscriptions::run_due() {
  const auto due = co_await database_.read(
      [](db::Transaction& transaction) { return due_subscriptions(transaction, transaction.now()); });
  if (!due) co_return fail(due.error());
  for (const std::string& id : due->ids) {
    const auto run =
        co_await change(id, [this](db::Transaction& transaction, Subscription& subscription) -> Result<void> {
          const SystemTime now = transaction.now();
          if (!subscription.next_run_at || *subscription.next_run_at > now) return {};
          subscription.next_run_at = next_run(subscription.request, now);
          const auto busy = is_being_listed(transaction, subscription.id);
          if (!busy) return fail(busy.error());
          if (*busy) return {};
          const auto batch = begin_run(transaction, subscription);
          return batch ? Result<void>() : fail(batch.error());
        });
    if (!run && run.error().code != Errc::not_found) co_return fail(run.error());
  }
  co_return due->ids.empty() ? due->next : std::optional(clock_.now());
}

}  // namespace trawl::downloads
