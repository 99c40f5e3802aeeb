#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "jobs/breaker.h"
#include "jobs/job.h"

// The table `breakers`, shared by all processes.
namespace trawl::jobs::detail {

// Every one with a failure since its last answer, or in its window.
[[nodiscard]] Result<std::vector<Breaker>> all_breakers(db::Transaction& transaction);
// Asks for those that are not closed.
[[nodiscard]] db::Statement open_breakers();
[[nodiscard]] std::vector<Breaker> read_breakers(const std::vector<db::Row>& rows);

[[nodiscard]] Result<void> set_probe(db::Transaction& transaction, const std::string& origin,
                                     const JobId& job, SystemTime now);
// The probe ended without telling anything of its origin.
void forget_probe(db::Transaction& transaction, const JobId& job);

// A job's origin has answered it: that ends a row of failures and closes what is half open. What is open
// stays so: jobs that were running when it opened say nothing new.
void note_answer(db::Transaction& transaction, const JobId& job);
// What a failure says of the job's origin: that it does not answer, that it does, or nothing.
[[nodiscard]] Result<void> note_failure(db::Transaction& transaction, const Job& job, const Error& error,
                                        SystemTime now, const BreakerRules& rules);
// Forgets origins that answer and whose window is over.
[[nodiscard]] Result<void> forget_answering(db::Transaction& transaction, const BreakerRules& rules);

}  // namespace trawl::jobs::detail
