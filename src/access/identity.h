#pragma once

#include <optional>
#include <string>

#include "access/key_store.h"
#include "access/mode.h"
#include "access/tickets.h"
#include "http/message.h"

namespace trawl::access {

// Who sends a request, and what they may do.
struct Identity {
  http::Caller caller;
  std::optional<Level> level;  // Empty: nobody in particular, see kAnonymousScopes.
  KeyLimits limits;
};

// What may be done without a key where keys are optional. Nothing that would let strangers read each
// other's secrets or delete each other's files.
inline constexpr http::AccessScope kAnonymousScopes[] = {kPublic,    kDownloadsRead, kDownloadsWrite,
                                                         kFilesRead, kMetadataRead,  kStatsRead};

// The owner of what is made with `auth.api_key`, which has no row in the database.
inline constexpr std::string_view kConfiguredKey = "configured";

[[nodiscard]] bool allows(const Identity& identity, http::AccessScope scope);

// Finds out who calls.
class Identities {
 public:
  // `configured`: the key of the configuration, with full access; may be empty.
  Identities(Mode mode, std::string_view configured, KeyStore& keys, Tickets& tickets);

  // `offered`: the key a request carries. Errc::unauthorized for a key that is not good, also where none
  // is needed: a client that sends one means to be known by it.
  [[nodiscard]] Task<Result<Identity>> identify(std::optional<std::string> offered);
  // The same for a ticket, which is used up.
  [[nodiscard]] Task<Result<Identity>> identify_ticket(std::string ticket);
  // For requests that need no key.
  [[nodiscard]] Identity nobody() const;

  [[nodiscard]] Mode mode() const { return mode_; }

 private:
  Mode mode_;
  std::string configured_digest_;  // Empty: there is none.
  KeyStore& keys_;
  Tickets& tickets_;
};

}  // namespace trawl::access
