#include "storage/scrub.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "base/sha256.h"

namespace trawl::storage {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::int64_t kPiece = 1 << 20;
constexpr std::int64_t kLeast = 64 << 10;
constexpr int kFilesAtOnce = 64;
constexpr auto kBatch = 10s;  // About as long as the files of one take.
constexpr Millis kLease = 60s;
constexpr auto kRenew = 15s;
constexpr auto kLook = 60s;  // Between looks for what is due.
constexpr Millis kUnreadable = 1h;

// What failing to read a file says of it.
Integrity meaning(Errc code) {
  if (code == Errc::not_found) return Integrity::missing;
  if (code == Errc::conflict) return Integrity::corrupt;  // It is shorter than it was.
  return Integrity::unreadable;
}

}  // namespace

std::chrono::nanoseconds scrub_pause(std::int64_t bytes, std::int64_t rate, std::chrono::nanoseconds took) {
  const double seconds = static_cast<double>(std::max(bytes, kLeast)) / static_cast<double>(rate);
  const auto wanted = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  return std::max(wanted - took, 0ns);
}

Scrub::Scrub(asio::any_io_executor executor, ArtifactStore& storage, BlockingPool& files,
             db::Database& database, Options options)
    : storage_(storage),
      files_(files),
      database_(database),
      options_(std::move(options)),
      asked_(executor),
      scope_(executor) {}

void Scrub::start() {
  if (options_.rate > 0) scope_.spawn("check stored files", check_regularly());
}

Task<void> Scrub::check_regularly() {
  while (true) {
    if (const auto checked = co_await check_due(); !checked)
      log_error("stored files could not be checked", {{"error", checked.error().message}});
    co_await asked_.wait_for(kLook);
  }
}

Task<Result<void>> Scrub::ask() {
  if (options_.rate <= 0)
    co_return fail(Errc::conflict, "stored files are not checked: storage.scrub_rate_bytes is 0",
                   "scrub_off");
  const auto asked = co_await database_.write([](db::Transaction& transaction) {
    return transaction.execute("UPDATE scrub SET asked_at = $1 WHERE id = 1",
                               {std::int64_t{transaction.now().time_since_epoch().count()}});
  });
  if (!asked) co_return fail(asked.error());
  asked_.notify_all();
  co_return Result<void>();
}

Task<Result<void>> Scrub::check_due() {
  while (true) {
    auto due = co_await claim();
    if (!due) co_return fail(std::move(due.error()));
    if (due->empty()) co_return Result<void>();
    std::vector<detail::Checked> checked;
    bool go_on = true;
    for (std::size_t i = 0; go_on && i < due->size(); ++i) {
      auto one = co_await check((*due)[i]);
      // When a file cannot be read it may be the backend: no other one is tried for a while.
      go_on = one && one->integrity != Integrity::unreadable;
      if (one) checked.push_back(std::move(*one));
    }
    if (auto kept = co_await keep(std::move(checked)); !kept) co_return kept;
    if (!go_on) co_return Result<void>();
  }
}

// What is to be read next; nothing while another process has the place.
Task<Result<std::vector<detail::Expected>>> Scrub::claim() {
  held_at_ = steady_clock::now();
  co_return co_await database_.write(
      [this](db::Transaction& transaction) -> Result<std::vector<detail::Expected>> {
        const auto held = detail::hold_scrub(transaction, options_.holder, kLease);
        if (!held) return fail(held.error());
        if (!*held) return {};
        return detail::next_due(transaction, {.interval = options_.interval, .unreadable = kUnreadable},
                                kFilesAtOnce, options_.rate * kBatch.count());
      });
}

// Keeps the place through a long file.
Task<bool> Scrub::still_holds() {
  const auto now = steady_clock::now();
  if (now - held_at_ < kRenew) co_return true;
  const auto held = co_await database_.write([this](db::Transaction& transaction) {
    return detail::hold_scrub(transaction, options_.holder, kLease);
  });
  if (held && *held) held_at_ = now;
  co_return held && *held;
}

// Nothing when another process has the place by now.
Task<std::optional<detail::Checked>> Scrub::check(detail::Expected file) {
  const auto found = co_await hash(file);
  if (!found && found.error().code == Errc::cancelled) co_return std::nullopt;
  detail::Checked out{.file = std::move(file), .integrity = Integrity::sound, .why = {}};
  if (found) out.bytes = out.file.size;
  if (!found) {
    out.integrity = meaning(found.error().code);
    out.why = found.error().message;
  } else if (*found != out.file.sha256) {
    out.integrity = Integrity::corrupt;
    out.why = fmt::format("its SHA-256 is {} instead of {}", *found, out.file.sha256);
  }
  co_return out;
}

// Errc::conflict when it has another length.
Task<Result<std::string>> Scrub::hash(const detail::Expected& file) {
  auto began = steady_clock::now();
  const auto size = co_await storage_.blobs().size_of(file.location);
  if (!size) co_return fail(size.error());
  if (*size != file.size)
    co_return fail(Errc::conflict, fmt::format("it has {} bytes instead of {}", *size, file.size));
  if (file.size == 0) co_await sleep_for(scrub_pause(0, options_.rate, steady_clock::now() - began));
  Sha256 digest;
  for (std::int64_t offset = 0; offset < file.size; offset += kPiece) {
    if (!co_await still_holds()) co_return fail(Errc::cancelled, "another process checks the files");
    const auto piece =
        co_await storage_.blobs().read(file.location, offset, std::min(kPiece, file.size - offset));
    if (!piece) co_return fail(piece.error());
    co_await files_.run([&] { digest.update(*piece); });
    co_await sleep_for(scrub_pause(std::ssize(*piece), options_.rate, steady_clock::now() - began));
    began = steady_clock::now();
  }
  co_return digest.finish();
}

Task<Result<void>> Scrub::keep(std::vector<detail::Checked> checked) {
  if (checked.empty()) co_return Result<void>();
  const auto kept = co_await database_.write(
      [&checked](db::Transaction& transaction) { return detail::keep_checked(transaction, checked); });
  if (!kept) co_return fail(kept.error());
  for (const auto& [one, news] : *kept) {
    if (options_.on_checked) options_.on_checked(one.integrity, one.bytes);
    if (!news) continue;
    log_error("a stored file is damaged",
              {{"integrity", to_text(one.integrity)}, {"location", one.file.location}, {"error", one.why}});
  }
  co_return Result<void>();
}

Task<Result<Scrub::Report>> Scrub::report(std::int64_t offset, std::int64_t limit) {
  auto damaged = co_await storage_.damaged();
  if (!damaged) co_return fail(std::move(damaged.error()));
  auto out = co_await database_.read([&](db::Transaction& transaction) -> Result<Report> {
    const auto before = detail::due_before(transaction, options_.interval);
    if (!before) return fail(before.error());
    const auto counted = transaction.query(
        "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(size), 0) AS BIGINT),"
        " CAST(COALESCE(SUM(CASE WHEN checked_at < $1 THEN 1 ELSE 0 END), 0) AS BIGINT),"
        " CAST(COALESCE(SUM(CASE WHEN checked_at < $1 THEN size ELSE 0 END), 0) AS BIGINT),"
        " MIN(checked_at) FROM artifacts",
        {std::int64_t{before->time_since_epoch().count()}});
    if (!counted) return fail(counted.error());
    const db::Row& row = counted->front();
    Report report{.files = row.integer(0),
                  .bytes = row.integer(1),
                  .due_files = row.integer(2),
                  .due_bytes = row.integer(3),
                  .oldest_check = {},
                  .reader = {},
                  .damaged = {},
                  .artifacts = {}};
    if (const auto oldest = row.maybe_integer(4)) report.oldest_check = SystemTime(Millis(*oldest));
    auto reader = detail::scrub_holder(transaction);
    if (!reader) return fail(std::move(reader.error()));
    report.reader = std::move(*reader);
    auto some = select_artifacts(
        transaction,
        "id IN (SELECT id FROM artifacts WHERE integrity <> 'sound' ORDER BY id LIMIT $1 OFFSET $2)",
        {limit, offset});
    if (!some) return fail(std::move(some.error()));
    report.artifacts = std::move(*some);
    return report;
  });
  if (out) out->damaged = std::move(*damaged);
  co_return out;
}

}  // namespace trawl::storage
