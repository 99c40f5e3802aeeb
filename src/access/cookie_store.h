#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/cookie_text.h"
#include "access/vault.h"
#include "async/task.h"
#include "base/id.h"
#include "db/database.h"

namespace trawl::access {

using CookieSetId = Id<struct CookieSetTag>;

// Cookies somebody stored for their downloads, without the cookies.
struct CookieSet {
  CookieSetId id;
  std::string owner;
  std::string name;
  std::string browser;  // Where they were taken from; empty: given as text.
  std::vector<std::string> domains;
  std::int64_t count = 0;
  SystemTime created_at;
  std::optional<SystemTime> first_expiry, expires_at;

  [[nodiscard]] bool expired(SystemTime now) const { return expires_at && now >= *expires_at; }
  // Some of it ends within `time`.
  [[nodiscard]] bool ends_within(std::chrono::hours time, SystemTime now) const {
    return first_expiry && *first_expiry <= now + time;
  }
  // It is as old as `age`; never, where that is 0.
  [[nodiscard]] bool is_due(std::chrono::hours age, SystemTime now) const {
    return age > std::chrono::hours(0) && created_at + age <= now;
  }
};

// Keeps cookies, sealed. Each set belongs to one owner and does not exist for
// others.
class CookieStore {
 public:
  CookieStore(db::Database& database, const Clock& clock, Vault vault)
      : database_(database), clock_(clock), vault_(std::move(vault)) {}

  struct NewSet {
    std::string owner, name, browser;
    std::vector<BrowserCookie> cookies;
  };
  // Errc::unsupported, reason "no_encryption_key", when nothing was configured
  // to encrypt with.
  [[nodiscard]] Task<Result<CookieSet>> add(NewSet wanted);
  // `owner` empty: everybody's. Newest first.
  [[nodiscard]] Task<Result<std::vector<CookieSet>>> list(std::optional<std::string> owner);
  [[nodiscard]] Task<Result<CookieSet>> find(std::string id,
                                             std::optional<std::string> owner);  // Errc::not_found
  [[nodiscard]] Task<Result<void>> remove(std::string id, std::optional<std::string> owner);

  // Whether a download of `owner` may use the set. Errc::unsupported, reason
  // "unknown_cookies" or "cookies_expired".
  [[nodiscard]] Task<Result<void>> check_usable(std::string id, std::string owner);
  // The cookies themselves, as Netscape text, for a download of `owner`.
  [[nodiscard]] Task<Result<std::string>> netscape(std::string id, std::string owner);

  // Seals again, with the newest key, what an older one sealed. Returns how
  // many sets.
  [[nodiscard]] Task<Result<std::size_t>> rotate();

 private:
  db::Database& database_;
  const Clock& clock_;
  Vault vault_;
};

}  // namespace trawl::access
