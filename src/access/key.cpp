#include "access/key.h"

#include "access/key_text.h"

namespace trawl::access {

Result<void> judge_key(const Key& key, const KeySecrets& secrets, std::string_view offered, SystemTime now) {
  const bool current = same_digest(offered, secrets.digest);
  const bool previous = same_digest(offered, secrets.previous_digest) && secrets.previous_until &&
                        now < *secrets.previous_until;
  if (!current && !previous) return fail(Errc::unauthorized, "the API key is not valid", "key_invalid");
  if (key.revoked_at) return fail(Errc::unauthorized, "the API key is revoked", "key_revoked");
  if (!key.active) return fail(Errc::unauthorized, "the API key is switched off", "key_disabled");
  if (key.expires_at && now >= *key.expires_at)
    return fail(Errc::unauthorized, "the API key has expired", "key_expired");
  return {};
}

}  // namespace trawl::access
