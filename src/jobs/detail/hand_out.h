#pragma once

#include <vector>

#include "db/database.h"
#include "jobs/breaker.h"
#include "jobs/fair_share.h"

// What a hand-out looks at before it decides, and what it leaves for the next.
namespace trawl::jobs::detail {

struct Scene {
  std::vector<db::Row> due;  // Of the statement that was asked with it.
  Load load;
  std::vector<Breaker> breakers;  // That are not closed.
};

// Takes the turn to hand jobs out, which nobody else has until the commit, and looks around: what runs, who
// was served when, and where there is room.
[[nodiscard]] Result<Scene> survey(db::Transaction& transaction, db::Statement due, SystemTime now);

// The first `limit` of every tenant's queue that have room.
[[nodiscard]] Result<std::vector<Candidate>> heads_of_queues(db::Transaction& transaction, std::size_t limit,
                                                             const Load& load, const Caps& caps);

// Remembers who was served in this hand-out.
void write_turns(db::Transaction& transaction, const Load& load, SystemTime now);

}  // namespace trawl::jobs::detail
