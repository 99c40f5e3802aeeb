#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"

namespace trawl::jobs {

// A queued job that may be handed out.
struct Candidate {
  JobId id;
  std::string tenant;
  std::string origin;
  int priority = 5;
  std::int64_t turn = 0;         // jobs/turn.h
  std::string batch = {};        // Empty: none.
  std::string fingerprint = {};  // Empty: none.
};

// How many jobs may run at once; 0: no limit.
struct Caps {
  int per_tenant = 0;
  int per_origin = 0;
};

// What runs now, and when each tenant was served last, in microseconds since 1970.
struct Load {
  std::map<std::string, int> by_tenant;
  std::map<std::string, int> by_origin;
  std::map<std::string, std::int64_t> served;
  std::map<std::string, int> room;        // How many more of an origin may start, where its breaker says so.
  std::map<std::string, int> batch_room;  // How many more of a batch may start.
  std::set<std::string> in_flight;        // Fingerprints; what has one of them waits for it to end.
};

// Chooses at most `limit` of `candidates` to hand out, in that order, and adds them to `load`.
//
// Tenants of the most urgent class come first: the highest priority a tenant asks for, plus one for
// each kAgeing it has not been served, so that a flood of urgent jobs holds nobody off for more than
// ten minutes. Inside a class the tenant with the largest deficit is served, which is the one with
// the fewest jobs running, and among equals the one served longest ago. A tenant's own jobs go by
// their turn; what would pass a cap is passed over.
[[nodiscard]] std::vector<JobId> share_out(std::vector<Candidate> candidates, Load& load, const Caps& caps,
                                           std::size_t limit, SystemTime now);

}  // namespace trawl::jobs
