#include "access/key_store.h"

#include <fmt/format.h>

#include "access/key_text.h"
#include "base/log.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kColumns =
    "id, name, level, description, notes, created_by, active, requests_per_minute, jobs_per_day,"
    " jobs_per_month, bytes_per_day, bytes_per_month, created_at, updated_at, expires_at, revoked_at,"
    " last_used_at, usage_count, digest, previous_digest, previous_until";

struct StoredKey {
  Key key;
  KeySecrets secrets;
};

std::int64_t millis(SystemTime time) {
  return time.time_since_epoch().count();
}
db::Value millis(const std::optional<SystemTime>& time) {
  return db::null_or(time ? std::optional(millis(*time)) : std::nullopt);
}
std::optional<SystemTime> time_at(const db::Row& row, std::size_t column) {
  const auto at = row.maybe_integer(column);
  return at ? std::optional(SystemTime(Millis(*at))) : std::nullopt;
}

Result<StoredKey> read_key(const db::Row& row) {
  const auto level = parse_enum<Level>(row.text(2));
  if (!level) return fail(Errc::internal, fmt::format("the row of API key {} is damaged", row.text(0)));
  StoredKey out;
  Key& key = out.key;
  key.id = row.text(0), key.name = row.text(1), key.level = *level;
  key.description = row.text(3), key.notes = row.text(4), key.created_by = row.text(5);
  key.active = row.boolean(6);
  key.limits = {.requests_per_minute = row.maybe_integer(7),
                .jobs_per_day = row.maybe_integer(8),
                .jobs_per_month = row.maybe_integer(9),
                .bytes_per_day = row.maybe_integer(10),
                .bytes_per_month = row.maybe_integer(11)};
  key.created_at = SystemTime(Millis(row.integer(12))), key.updated_at = SystemTime(Millis(row.integer(13)));
  key.expires_at = time_at(row, 14), key.revoked_at = time_at(row, 15), key.last_used_at = time_at(row, 16);
  key.usage_count = row.integer(17);
  out.secrets = {.digest = row.text(18),
                 .previous_digest = row.maybe_text(19).value_or(""),
                 .previous_until = time_at(row, 20)};
  return out;
}

Result<StoredKey> find_in(db::Transaction& transaction, const std::string& id) {
  const auto rows = transaction.query(fmt::format("SELECT {} FROM api_keys WHERE id = $1", kColumns), {id});
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(Errc::not_found, fmt::format("there is no API key {}", to_valid_utf8(id)));
  return read_key(rows->front());
}

Result<Key> key_in(db::Transaction& transaction, const std::string& id) {
  auto stored = find_in(transaction, id);
  if (!stored) return fail(std::move(stored.error()));
  return std::move(stored->key);
}

// The secrets of a key, or some that nobody knows: an id that does not exist is looked up, read and compared
// in the same steps as one that does, so that the time an answer takes tells nothing of it.
Result<KeySecrets> secrets_of(db::Transaction& transaction, const std::string& id) {
  const std::string nobodys(64, '-');
  const auto rows = transaction.query(
      "SELECT COALESCE(k.digest, $2), COALESCE(k.previous_digest, $2), COALESCE(k.previous_until, 0)"
      " FROM (SELECT 1 AS one) AS one_row LEFT JOIN api_keys AS k ON k.id = $1",
      {id, nobodys});
  if (!rows) return fail(rows.error());
  const db::Row& row = rows->front();
  return KeySecrets{.digest = row.text(0),
                    .previous_digest = row.text(1),
                    .previous_until = SystemTime(Millis(row.integer(2)))};
}

std::unexpected<Error> not_valid() {
  return fail(Errc::unauthorized, "the API key is not valid", "key_invalid");
}

Result<IssuedKey> insert(db::Transaction& transaction, const NewKey& wanted, const std::string& created_by,
                         SystemTime now) {
  const KeyText made = make_key();
  const KeyLimits& limits = wanted.limits;
  const auto inserted = transaction.execute(
      "INSERT INTO api_keys (id, name, level, description, notes, created_by, requests_per_minute,"
      " jobs_per_day, jobs_per_month, bytes_per_day, bytes_per_month, created_at, updated_at, expires_at, "
      "digest)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14)",
      {made.id, wanted.name, std::string(to_text(wanted.level)), wanted.description, wanted.notes, created_by,
       db::null_or(limits.requests_per_minute), db::null_or(limits.jobs_per_day),
       db::null_or(limits.jobs_per_month), db::null_or(limits.bytes_per_day),
       db::null_or(limits.bytes_per_month), millis(now), millis(wanted.expires_at),
       secret_digest(made.text)});
  if (!inserted) return fail(inserted.error());
  auto key = key_in(transaction, made.id);
  if (!key) return fail(std::move(key.error()));
  return IssuedKey{made.text, std::move(*key)};
}

// The columns a change touches, as SQL and parameters.
struct Assignments {
  std::string sql;
  std::vector<db::Value> values;

  void add(std::string_view column, db::Value value) {
    values.push_back(std::move(value));
    sql += fmt::format("{}{} = ${}", sql.empty() ? "" : ", ", column, values.size());
  }
};

Assignments assignments_of(const KeyChange& change, SystemTime now) {
  Assignments out;
  out.add("updated_at", millis(now));
  if (change.name) out.add("name", *change.name);
  if (change.description) out.add("description", *change.description);
  if (change.notes) out.add("notes", *change.notes);
  if (change.level) out.add("level", std::string(to_text(*change.level)));
  if (change.active) out.add("active", std::int64_t{*change.active});
  if (change.expires_at) out.add("expires_at", millis(*change.expires_at));
  if (change.limits) {
    out.add("requests_per_minute", db::null_or(change.limits->requests_per_minute));
    out.add("jobs_per_day", db::null_or(change.limits->jobs_per_day));
    out.add("jobs_per_month", db::null_or(change.limits->jobs_per_month));
    out.add("bytes_per_day", db::null_or(change.limits->bytes_per_day));
    out.add("bytes_per_month", db::null_or(change.limits->bytes_per_month));
  }
  return out;
}

}  // namespace

KeyStore::KeyStore(db::Database& database, const Clock& clock, asio::any_io_executor executor)
    : database_(database), clock_(clock), scope_(executor) {}

void KeyStore::start() {
  scope_.spawn("write down the use of API keys", write_regularly());
}

Task<void> KeyStore::stop() {
  co_await scope_.close();
  co_await write_uses();
}

Task<Result<Key>> KeyStore::verify(std::string text) {
  const auto id = key_id_of(text);
  if (!id) co_return not_valid();
  auto key = co_await database_.read([id = *id, offered = secret_digest(text),
                                      now = clock_.now()](db::Transaction& transaction) -> Result<Key> {
    const auto secrets = secrets_of(transaction, id);
    if (!secrets) return fail(secrets.error());
    if (auto known = judge_key(Key{}, *secrets, offered, now); !known) return fail(std::move(known.error()));
    auto stored = find_in(transaction, id);
    if (!stored) return fail(std::move(stored.error()));
    if (auto judged = judge_key(stored->key, stored->secrets, offered, now); !judged)
      return fail(std::move(judged.error()));
    return std::move(stored->key);
  });
  if (!key) co_return fail(std::move(key.error()));
  Use& use = uses_[*id];
  use.last = clock_.now();
  ++use.count;
  co_return std::move(*key);
}

Task<Result<Key>> KeyStore::usable(std::string id) {
  const auto stored =
      co_await database_.read([id](db::Transaction& transaction) { return find_in(transaction, id); });
  if (!stored && stored.error().code == Errc::not_found) co_return not_valid();
  if (!stored) co_return fail(stored.error());
  if (auto judged = judge_key(stored->key, stored->secrets, stored->secrets.digest, clock_.now()); !judged)
    co_return fail(std::move(judged.error()));
  co_return stored->key;
}

Task<Result<IssuedKey>> KeyStore::create(NewKey wanted, std::string created_by) {
  co_return co_await database_.write(
      [this, wanted = std::move(wanted), created_by = std::move(created_by)](db::Transaction& transaction) {
        return insert(transaction, wanted, created_by, clock_.now());
      });
}

Task<Result<IssuedKey>> KeyStore::create_first(NewKey wanted) {
  co_return co_await database_.write(
      [this, wanted = std::move(wanted)](db::Transaction& transaction) -> Result<IssuedKey> {
        // The row is the lock: of two processes that try at once, one inserts it.
        const auto first = transaction.execute(
            "INSERT INTO access_facts (name, value) SELECT 'bootstrapped', $1"
            " WHERE NOT EXISTS (SELECT 1 FROM api_keys) ON CONFLICT (name) DO NOTHING",
            {to_iso8601(clock_.now())});
        if (!first) return fail(first.error());
        if (*first == 0)
          return fail(Errc::conflict, "the first API key was made already", "already_bootstrapped");
        return insert(transaction, wanted, "bootstrap", clock_.now());
      });
}

Task<Result<bool>> KeyStore::empty() {
  co_return co_await database_.read([](db::Transaction& transaction) -> Result<bool> {
    const auto rows = transaction.query("SELECT 1 FROM api_keys LIMIT 1");
    if (!rows) return fail(rows.error());
    return rows->empty();
  });
}

Task<Result<Key>> KeyStore::find(std::string id) {
  co_return co_await database_.read([id](db::Transaction& transaction) { return key_in(transaction, id); });
}

Task<Result<KeyStore::Page>> KeyStore::list(Filter filter) {
  co_return co_await database_.read(
      [filter, now = clock_.now()](db::Transaction& transaction) -> Result<Page> {
        std::string where =
            "WHERE ($1 = 0 OR (active = 1 AND revoked_at IS NULL AND (expires_at IS NULL OR "
            "expires_at > $2))) AND ($3 = '' OR level = $3)";
        const std::vector<db::Value> values{std::int64_t{filter.active_only}, millis(now),
                                            std::string(filter.level ? to_text(*filter.level) : "")};
        const auto total = transaction.query(fmt::format("SELECT COUNT(*) FROM api_keys {}", where), values);
        if (!total) return fail(total.error());
        const auto rows = transaction.query(
            fmt::format("SELECT {} FROM api_keys {} ORDER BY created_at DESC, id LIMIT {} OFFSET {}",
                        kColumns, where, filter.limit, filter.offset),
            values);
        if (!rows) return fail(rows.error());
        Page page{{}, total->front().integer(0)};
        for (const db::Row& row : *rows) {
          auto stored = read_key(row);
          if (!stored) return fail(std::move(stored.error()));
          page.keys.push_back(std::move(stored->key));
        }
        return page;
      });
}

Task<Result<Key>> KeyStore::change(std::string id, KeyChange change) {
  co_return co_await database_.write([this, id, change](db::Transaction& transaction) -> Result<Key> {
    Assignments set = assignments_of(change, clock_.now());
    set.values.push_back(id);
    const auto changed =
        transaction.execute(fmt::format("UPDATE api_keys SET {} WHERE id = ${} AND revoked_at IS NULL",
                                        set.sql, set.values.size()),
                            set.values);
    if (!changed) return fail(changed.error());
    auto key = key_in(transaction, id);
    if (key && *changed == 0) return fail(Errc::conflict, "a revoked key cannot be changed", "key_revoked");
    return key;
  });
}

Task<Result<IssuedKey>> KeyStore::rotate(std::string id, std::chrono::seconds grace) {
  co_return co_await database_.write([this, id, grace](db::Transaction& transaction) -> Result<IssuedKey> {
    const SystemTime now = clock_.now();
    const KeyText made = make_key(id);
    const auto changed = transaction.execute(
        "UPDATE api_keys SET previous_digest = digest, previous_until = $1, digest = $2, updated_at = $3"
        " WHERE id = $4 AND revoked_at IS NULL",
        {millis(now + grace), secret_digest(made.text), millis(now), id});
    if (!changed) return fail(changed.error());
    auto key = key_in(transaction, id);
    if (!key) return fail(std::move(key.error()));
    if (*changed == 0) return fail(Errc::conflict, "a revoked key cannot be rotated", "key_revoked");
    return IssuedKey{made.text, std::move(*key)};
  });
}

Task<Result<Key>> KeyStore::revoke(std::string id) {
  co_return co_await database_.write([this, id](db::Transaction& transaction) -> Result<Key> {
    const auto revoked = transaction.execute(
        "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $1), active = 0, updated_at = $1 WHERE id = "
        "$2",
        {millis(clock_.now()), id});
    if (!revoked) return fail(revoked.error());
    return key_in(transaction, id);
  });
}

Task<void> KeyStore::write_uses() {
  if (uses_.empty()) co_return;
  const auto written = co_await database_.write(
      [uses = std::exchange(uses_, {})](db::Transaction& transaction) -> Result<void> {
        for (const auto& [id, use] : uses) {
          const auto changed = transaction.execute(
              "UPDATE api_keys SET last_used_at = $1, usage_count = usage_count + $2 WHERE id = $3",
              {millis(use.last), use.count, id});
          if (!changed) return fail(changed.error());
        }
        return {};
      });
  if (!written) log_warn("cannot write down the use of API keys", {{"error", written.error().message}});
}

Task<void> KeyStore::write_regularly() {
  while (true) {
    co_await sleep_for(5s);
    co_await write_uses();
  }
}

}  // namespace trawl::access
