#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "access/key.h"
#include "async/scope.h"
#include "async/task.h"
#include "db/database.h"

namespace trawl::access {

struct NewKey {
  std::string name;
  Level level = Level::download;
  std::string description, notes;
  KeyLimits limits;
  std::optional<SystemTime> expires_at;
};

// What to change of a key; what is empty stays.
struct KeyChange {
  std::optional<std::string> name, description, notes;
  std::optional<Level> level;
  std::optional<bool> active;
  std::optional<std::optional<SystemTime>> expires_at;
  std::optional<KeyLimits> limits;
};

// A key together with its text, which is nowhere to be had again.
struct IssuedKey {
  std::string text;
  Key key;
};

// Keeps API keys. Every look-up asks the database, so that what one process revokes is revoked for all of
// them with the next request.
class KeyStore {
 public:
  KeyStore(db::Database& database, const Clock& clock, asio::any_io_executor executor);

  // Begins to write down when keys were last used, every few seconds.
  void start();
  [[nodiscard]] Task<void> stop();

  // The key that `text` is; counts as its use. Errc::unauthorized, see judge_key().
  [[nodiscard]] Task<Result<Key>> verify(std::string text);
  // The same by id alone, for what a key made earlier (links). Errc::unauthorized.
  [[nodiscard]] Task<Result<Key>> usable(std::string id);

  [[nodiscard]] Task<Result<IssuedKey>> create(NewKey wanted, std::string created_by);
  // The first key there ever was. Errc::conflict, reason "already_bootstrapped", ever after.
  [[nodiscard]] Task<Result<IssuedKey>> create_first(NewKey wanted);
  // Whether create_first() would succeed.
  [[nodiscard]] Task<Result<bool>> empty();

  [[nodiscard]] Task<Result<Key>> find(std::string id);  // Errc::not_found
  struct Filter {
    bool active_only = false;
    std::optional<Level> level;
    std::int64_t offset = 0, limit = 20;
  };
  struct Page {
    std::vector<Key> keys;  // Newest first.
    std::int64_t total = 0;
  };
  [[nodiscard]] Task<Result<Page>> list(Filter filter);
  [[nodiscard]] Task<Result<Key>> change(std::string id, KeyChange change);
  // Another secret for the same key; the old one works for `grace` longer.
  [[nodiscard]] Task<Result<IssuedKey>> rotate(std::string id, std::chrono::seconds grace);
  // For good. The row stays: its jobs and files keep an owner.
  [[nodiscard]] Task<Result<Key>> revoke(std::string id);

 private:
  struct Use {
    SystemTime last;
    std::int64_t count = 0;
  };
  [[nodiscard]] Task<void> write_uses();
  [[nodiscard]] Task<void> write_regularly();

  db::Database& database_;
  const Clock& clock_;
  Scope scope_;
  std::map<std::string, Use> uses_;  // Not written yet.
};

}  // namespace trawl::access
