#include "access/cookie_store.h"

#include <fmt/format.h>

#include "base/json.h"

namespace trawl::access {
namespace {

constexpr std::string_view kColumns =
    "id, owner, name, browser, domains, cookie_count, created_at, "
    "first_expiry, expires_at, sealed";

struct StoredSet {
  CookieSet set;
  std::string sealed;
};

db::Value millis(const std::optional<SystemTime>& time) {
  return db::null_or(time ? std::optional<std::int64_t>(time->time_since_epoch().count()) : std::nullopt);
}
std::optional<SystemTime> time_at(const db::Row& row, std::size_t column) {
  const auto at = row.maybe_integer(column);
  return at ? std::optional(SystemTime(Millis(*at))) : std::nullopt;
}

std::string purpose_of(const CookieSetId& id) {
  return "cookies " + id.str();
}

Result<StoredSet> read_set(const db::Row& row) {
  const auto id = CookieSetId::parse(row.text(0));
  const auto domains = parse_json(row.text(4));
  auto names = domains ? decode_own<std::vector<std::string>>(*domains, "domains")
                       : Result<std::vector<std::string>>(fail(domains.error()));
  if (!id || !names)
    return fail(Errc::internal, fmt::format("the row of cookies {} is damaged", row.text(0)));
  return StoredSet{.set = {.id = *id,
                           .owner = row.text(1),
                           .name = row.text(2),
                           .browser = row.text(3),
                           .domains = std::move(*names),
                           .count = row.integer(5),
                           .created_at = SystemTime(Millis(row.integer(6))),
                           .first_expiry = time_at(row, 7),
                           .expires_at = time_at(row, 8)},
                   .sealed = row.text(9)};
}

Result<std::vector<StoredSet>> select(db::Transaction& transaction, std::string_view condition,
                                      std::vector<db::Value> values) {
  const auto rows = transaction.query(
      fmt::format("SELECT {} FROM cookies WHERE {} ORDER BY created_at DESC, id", kColumns, condition),
      std::move(values));
  if (!rows) return fail(rows.error());
  std::vector<StoredSet> sets;
  for (const db::Row& row : *rows) {
    auto set = read_set(row);
    if (!set) return fail(std::move(set.error()));
    sets.push_back(std::move(*set));
  }
  return sets;
}

std::vector<CookieSet> without_secrets(std::vector<StoredSet> stored) {
  std::vector<CookieSet> sets;
  for (StoredSet& one : stored) sets.push_back(std::move(one.set));
  return sets;
}

std::unexpected<Error> not_found(std::string_view id) {
  return fail(Errc::not_found, fmt::format("there are no cookies {}", to_valid_utf8(id)));
}

Result<StoredSet> find_in(db::Transaction& transaction, const std::string& id,
                          const std::optional<std::string>& owner) {
  auto found = owner ? select(transaction, "id = $1 AND owner = $2", {id, *owner})
                     : select(transaction, "id = $1", {id});
  if (!found) return fail(std::move(found.error()));
  if (found->empty()) return not_found(id);
  return std::move(found->front());
}

std::unexpected<Error> unusable(Error error, std::string_view id) {
  if (error.code != Errc::not_found) return fail(std::move(error));
  return fail(Errc::unsupported,
              fmt::format("cookies_id: there are no stored cookies '{}'", to_valid_utf8(id)),
              "unknown_cookies");
}

}  // namespace

Task<Result<CookieSet>> CookieStore::add(NewSet wanted) {
  const SystemTime now = clock_.now();
  CookieFacts facts = facts_of(wanted.cookies);
  CookieSet set{.id = CookieSetId::make(now),
                .owner = std::move(wanted.owner),
                .name = std::move(wanted.name),
                .browser = std::move(wanted.browser),
                .domains = std::move(facts.domains),
                .count = static_cast<std::int64_t>(wanted.cookies.size()),
                .created_at = now,
                .first_expiry = facts.first_expiry,
                .expires_at = facts.expires_at};
  auto sealed = vault_.seal(netscape_text(wanted.cookies), purpose_of(set.id));
  if (!sealed) co_return fail(std::move(sealed.error()));
  const auto inserted =
      co_await database_.write([set, sealed = std::move(*sealed)](db::Transaction& transaction) {
        return transaction.execute(
            fmt::format("INSERT INTO cookies ({}) VALUES ($1, $2, $3, $4, $5, "
                        "$6, $7, $8, $9, $10)",
                        kColumns),
            {set.id.str(), set.owner, set.name, set.browser, json::serialize(encode(set.domains)), set.count,
             set.created_at.time_since_epoch().count(), millis(set.first_expiry), millis(set.expires_at),
             sealed});
      });
  if (!inserted) co_return fail(inserted.error());
  co_return set;
}

Task<Result<std::vector<CookieSet>>> CookieStore::list(std::optional<std::string> owner) {
  auto found = co_await database_.read([owner](db::Transaction& transaction) {
    return owner ? select(transaction, "owner = $1", {*owner}) : select(transaction, "1 = 1", {});
  });
  if (!found) co_return fail(std::move(found.error()));
  co_return without_secrets(std::move(*found));
}

Task<Result<CookieSet>> CookieStore::find(std::string id, std::optional<std::string> owner) {
  auto found = co_await database_.read(
      [id, owner](db::Transaction& transaction) { return find_in(transaction, id, owner); });
  if (!found) co_return fail(std::move(found.error()));
  co_return std::move(found->set);
}

Task<Result<void>> CookieStore::remove(std::string id, std::optional<std::string> owner) {
  const auto removed = co_await database_.write([id, owner](db::Transaction& transaction) {
    return owner ? transaction.execute("DELETE FROM cookies WHERE id = $1 AND owner = $2", {id, *owner})
                 : transaction.execute("DELETE FROM cookies WHERE id = $1", {id});
  });
  if (!removed) co_return fail(removed.error());
  if (*removed == 0) co_return not_found(id);
  co_return Result<void>();
}

Task<Result<void>> CookieStore::check_usable(std::string id, std::string owner) {
  const auto set = co_await find(id, owner);
  if (!set) co_return unusable(set.error(), id);
  if (set->expired(clock_.now()))
    co_return fail(Errc::unsupported, fmt::format("cookies_id: all cookies of '{}' have expired", set->name),
                   "cookies_expired");
  co_return Result<void>();
}

Task<Result<std::string>> CookieStore::netscape(std::string id, std::string owner) {
  const auto found = co_await database_.read(
      [id, owner](db::Transaction& transaction) { return find_in(transaction, id, owner); });
  if (!found) co_return unusable(found.error(), id);
  co_return vault_.open(found->sealed, purpose_of(found->set.id));
}

Task<Result<std::size_t>> CookieStore::rotate() {
  co_return co_await database_.write([this](db::Transaction& transaction) -> Result<std::size_t> {
    auto all = select(transaction, "1 = 1", {});
    if (!all) return fail(std::move(all.error()));
    std::size_t count = 0;
    for (const StoredSet& stored : *all) {
      if (!vault_.stale(stored.sealed)) continue;
      const std::string purpose = purpose_of(stored.set.id);
      const auto text = vault_.open(stored.sealed, purpose);
      if (!text) return fail(text.error());
      const auto sealed = vault_.seal(*text, purpose);
      if (!sealed) return fail(sealed.error());
      const auto changed =
          transaction.execute("UPDATE cookies SET sealed = $1 WHERE id = $2", {*sealed, stored.set.id.str()});
      if (!changed) return fail(changed.error());
      ++count;
    }
    return count;
  });
}

}  // namespace trawl::access
