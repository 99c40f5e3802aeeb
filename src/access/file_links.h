#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "db/database.h"

namespace trawl::access {

// A link to one file that works without a key, for a while.
struct FileLink {
  std::string id;  // 16 random characters.
  ArtifactId artifact;
  std::string key;     // Of the API key that made it; its end is the link's end. May be empty.
  std::string method;  // "GET", which covers HEAD.
  SystemTime expires_at;
};

inline constexpr std::chrono::seconds kDefaultLinkTime{900};
inline constexpr std::chrono::seconds kLongestLinkTime{86'400};

// Signs links with HMAC-SHA256 over everything they say.
class LinkSigner {
 public:
  explicit LinkSigner(std::string secret) : secret_(std::move(secret)) {}

  // "link=…&key=…&expires=…&signature=…", to follow a "?".
  [[nodiscard]] std::string query(const FileLink& link) const;

  // The link that a request for `artifact` came with; `parameter` gives its query parameters.
  // Errc::forbidden, reason "link_invalid" or "link_expired".
  [[nodiscard]] Result<FileLink> check(
      const std::function<std::optional<std::string>(std::string_view)>& parameter,
      const ArtifactId& artifact, std::string_view method, SystemTime now) const;

 private:
  [[nodiscard]] std::string signature(const FileLink& link) const;

  std::string secret_;
};

// Remembers links, so that they can be listed and taken back before their time.
class LinkStore {
 public:
  LinkStore(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // Also forgets links whose time is over.
  [[nodiscard]] Task<Result<void>> add(FileLink link, std::string owner);
  // Errc::not_found unless it is `owner`'s (anybody's when empty) and in force.
  [[nodiscard]] Task<Result<void>> revoke(std::string id, std::optional<std::string> owner);
  [[nodiscard]] Task<Result<std::vector<FileLink>>> list(std::optional<std::string> owner);
  // Errc::forbidden, reason "link_revoked", when the link was taken back or never made.
  [[nodiscard]] Task<Result<void>> check(std::string id);

 private:
  db::Database& database_;
  const Clock& clock_;
};

}  // namespace trawl::access
