#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "db/database.h"
#include "storage/blobs.h"

// The statements about `object_writes`: what was or may have been written to the object storage and is not
// known to be an artifact. A row is there before anything is sent.
namespace trawl::storage::detail {

[[nodiscard]] Result<void> note_write(db::Transaction& transaction, const std::string& location,
                                      const LeaseName& lease, SystemTime now);
// The upload in parts by which it is written; empty when there is none any more.
[[nodiscard]] Result<void> name_upload(db::Transaction& transaction, const std::string& location,
                                       const std::string& upload);
// What no lease holds any more, to be deleted. No other lease has a place of that name.
[[nodiscard]] Result<void> note_unused(db::Transaction& transaction, const std::string& location,
                                       SystemTime now);
[[nodiscard]] Result<void> forget_write(db::Transaction& transaction, const std::string& location);

// What is to be done about a row.
enum class Fate {
  wait,    // Its lease may still record it.
  forget,  // It is an artifact.
  remove,  // Nobody refers to it, nor ever will.
};
struct Written {
  std::string location;
  SystemTime noted_at;
  bool given_up = false;  // By note_unused().
  Fate fate = Fate::wait;
};
// Up to `limit` rows behind `after`, in the order of their places.
[[nodiscard]] Result<std::vector<Written>> written_after(db::Transaction& transaction,
                                                         const std::string& after, std::int64_t limit);

// Those, each in a transaction of its own.
class UploadLedger {
 public:
  UploadLedger(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  [[nodiscard]] Task<Result<void>> note(LeaseName lease, std::vector<std::string> locations);
  [[nodiscard]] Task<Result<void>> name(std::string location, std::string upload);
  [[nodiscard]] Task<Result<void>> give_up(std::string location);
  [[nodiscard]] Task<Result<void>> forget(std::string location);
  [[nodiscard]] Task<Result<std::vector<Written>>> written(std::string after, std::int64_t limit);

 private:
  db::Database& database_;
  const Clock& clock_;
};

}  // namespace trawl::storage::detail
