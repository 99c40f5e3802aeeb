#include "access/tickets.h"

#include "access/key_text.h"

namespace trawl::access {
namespace {

std::int64_t millis(SystemTime time) {
  return time.time_since_epoch().count();
}

}  // namespace

Task<Result<Ticket>> Tickets::issue(std::string key_id) {
  const SystemTime now = clock_.now();
  Ticket ticket{.text = "ticket_" + random_base62(43), .expires_at = now + kTicketTime};
  const auto added = co_await database_.write([digest = secret_digest(ticket.text),
                                               key_id = std::move(key_id), now, ends = ticket.expires_at](
                                                  db::Transaction& transaction) -> Result<std::int64_t> {
    const auto forgotten = transaction.execute("DELETE FROM tickets WHERE expires_at <= $1", {millis(now)});
    if (!forgotten) return fail(forgotten.error());
    return transaction.execute("INSERT INTO tickets (digest, key_id, expires_at) VALUES ($1, $2, $3)",
                               {digest, key_id, millis(ends)});
  });
  if (!added) co_return fail(added.error());
  co_return ticket;
}

Task<Result<std::string>> Tickets::redeem(std::string text) {
  const auto rows = co_await database_.write(
      [digest = secret_digest(text), now = clock_.now()](db::Transaction& transaction) {
        return transaction.query("DELETE FROM tickets WHERE digest = $1 AND expires_at > $2 RETURNING key_id",
                                 {digest, millis(now)});
      });
  if (!rows) co_return fail(rows.error());
  if (rows->empty()) {
    co_return fail(Errc::unauthorized,
                   "the ticket is not valid: it opens one stream, within 30 seconds of being made",
                   "ticket_invalid");
  }
  co_return rows->front().text(0);
}

}  // namespace trawl::access
