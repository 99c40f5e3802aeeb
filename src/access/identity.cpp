#include "access/identity.h"

#include <algorithm>

#include "access/key_text.h"

namespace trawl::access {
namespace {

Identity of_level(std::string key, std::string owner, Level level, const KeyLimits& limits) {
  return {.caller = {.key = std::move(key),
                     .level = std::string(to_text(level)),
                     .owner = std::move(owner),
                     .sees_all = grants(level, kEveryone)},
          .level = level,
          .limits = limits};
}

Identity configured() {
  return of_level(std::string(kConfiguredKey), std::string(kConfiguredKey), Level::full_access, {});
}

}  // namespace

bool allows(const Identity& identity, http::AccessScope scope) {
  if (identity.level) return grants(*identity.level, scope);
  return std::ranges::find(kAnonymousScopes, scope) != std::end(kAnonymousScopes);
}

Identities::Identities(Mode mode, std::string_view configured, KeyStore& keys, Tickets& tickets)
    : mode_(mode),
      configured_digest_(configured.empty() ? "" : secret_digest(configured)),
      keys_(keys),
      tickets_(tickets) {}

Identity Identities::nobody() const {
  return mode_ == Mode::off ? of_level("", "", Level::full_access, {}) : Identity{};
}

Task<Result<Identity>> Identities::identify(std::optional<std::string> offered) {
  if (mode_ == Mode::off) co_return nobody();
  if (!offered) {
    if (mode_ == Mode::optional) co_return nobody();
    co_return fail(Errc::unauthorized, "an API key is needed: send it as X-API-Key", "unauthorized");
  }
  if (same_digest(secret_digest(*offered), configured_digest_)) co_return configured();
  const auto key = co_await keys_.verify(std::move(*offered));
  if (!key) co_return fail(key.error());
  co_return of_level(key->id, key->id, key->level, key->limits);
}

Task<Result<Identity>> Identities::identify_ticket(std::string ticket) {
  if (mode_ == Mode::off) co_return nobody();
  const auto id = co_await tickets_.redeem(std::move(ticket));
  if (!id) co_return fail(id.error());
  if (id->empty()) co_return nobody();
  if (*id == kConfiguredKey) co_return configured();
  const auto key = co_await keys_.usable(*id);
  if (!key) co_return fail(key.error());
  co_return of_level(key->id, key->id, key->level, key->limits);
}

}  // namespace trawl::access
