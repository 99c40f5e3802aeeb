#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "access/scopes.h"
#include "base/clock.h"
#include "base/result.h"

namespace trawl::access {

// What a key may use. Empty: what the configuration says for its level.
struct KeyLimits {
  std::optional<std::int64_t> requests_per_minute;
  std::optional<std::int64_t> jobs_per_day, jobs_per_month;
  std::optional<std::int64_t> bytes_per_day, bytes_per_month;
  friend bool operator==(const KeyLimits&, const KeyLimits&) = default;
};

// An API key as it is kept: everything but the key itself.
struct Key {
  std::string id;
  std::string name;
  Level level = Level::download;
  std::string description, notes;
  std::string created_by;  // The id of the key that made it; "bootstrap" for the first one.
  KeyLimits limits;
  bool active = true;  // Switched off by an administrator; can be switched on again.
  SystemTime created_at, updated_at;
  std::optional<SystemTime> expires_at;
  std::optional<SystemTime> revoked_at;  // Never usable again.
  std::optional<SystemTime> last_used_at;
  std::int64_t usage_count = 0;
};

// What is compared when a key is offered.
struct KeySecrets {
  std::string digest;
  std::string previous_digest;  // Of the secret before a rotation; empty: none.
  std::optional<SystemTime> previous_until;
};

// Whether somebody who offers a secret of this digest may act as `key` now. Errc::unauthorized, reason
// "key_invalid", "key_revoked", "key_disabled" or "key_expired": the last three are only told to who knows
// the secret.
[[nodiscard]] Result<void> judge_key(const Key& key, const KeySecrets& secrets, std::string_view offered,
                                     SystemTime now);

}  // namespace trawl::access
