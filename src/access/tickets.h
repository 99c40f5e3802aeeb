#pragma once

#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "db/database.h"

namespace trawl::access {

inline constexpr std::chrono::seconds kTicketTime{30};

struct Ticket {
  std::string text;  // `ticket_` and 43 random characters.
  SystemTime expires_at;
};

// Tickets let those in who cannot send a header, which is every WebSocket of a browser, without writing a
// key into an address: each is good for one handshake within kTicketTime. They are rows, as digests, so any
// process that shares the database takes what another one issued, and only once.
class Tickets {
 public:
  Tickets(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // For the holder of key `key_id`. Also forgets tickets whose time is over.
  [[nodiscard]] Task<Result<Ticket>> issue(std::string key_id);
  // The id of the key that `text` was made with; `text` is of no use after that. Errc::unauthorized, reason
  // "ticket_invalid", when it was used already, has expired or never was.
  [[nodiscard]] Task<Result<std::string>> redeem(std::string text);

 private:
  db::Database& database_;
  const Clock& clock_;
};

}  // namespace trawl::access
