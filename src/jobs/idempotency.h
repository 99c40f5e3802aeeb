#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "db/database.h"

namespace trawl::jobs {

// A request that must not be carried out twice: whose it is, the key its sender gave it, and the
// sha256 of what it asks for.
struct IdempotencyKey {
  std::string tenant, key, fingerprint;
  friend auto operator<=>(const IdempotencyKey&, const IdempotencyKey&) = default;
};

// What the first such request was answered with.
struct StoredAnswer {
  int status = 0;
  std::string location;
  std::string body;
};

// Answers to requests with an Idempotency-Key, kept for a day. They are written in the transaction
// that does what was asked for, so there is never one without the other.
class Idempotency {
 public:
  static constexpr std::chrono::hours kKept{24};

  explicit Idempotency(db::Database& database) : database_(database) {}

  // The right of one request to be worked on; nothing while another with its key is, in this process.
  // Two processes meet in record().
  using Ticket = std::shared_ptr<const void>;
  [[nodiscard]] Ticket begin(const IdempotencyKey& key);

  // The answer of an earlier request, if there is one. Errc::invalid, reason "idempotency_key_reused",
  // when that one asked for something else.
  [[nodiscard]] Task<Result<std::optional<StoredAnswer>>> find(IdempotencyKey key);

  // Errc::conflict, reason "idempotency_raced", when somebody else was faster.
  [[nodiscard]] Result<void> record(db::Transaction& transaction, const IdempotencyKey& key,
                                    const StoredAnswer& answer);

 private:
  db::Database& database_;
  std::set<std::pair<std::string, std::string>> in_flight_;
};

}  // namespace trawl::jobs
