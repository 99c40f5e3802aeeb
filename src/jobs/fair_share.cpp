#include "jobs/fair_share.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "jobs/turn.h"

namespace trawl::jobs {
namespace {

using Queues = std::map<std::string, std::vector<Candidate>>;

int count_of(const std::map<std::string, int>& counts, const std::string& name) {
  const auto found = counts.find(name);
  return found == counts.end() ? 0 : found->second;
}

bool has_room(const Candidate& job, const Load& load, const Caps& caps) {
  const bool tenant = caps.per_tenant == 0 || count_of(load.by_tenant, job.tenant) < caps.per_tenant;
  // A job without a host has nobody to spare.
  const bool origin =
      caps.per_origin == 0 || job.origin.empty() || count_of(load.by_origin, job.origin) < caps.per_origin;
  const auto left = [](const std::map<std::string, int>& rooms, const std::string& name) {
    const auto room = rooms.find(name);
    return room == rooms.end() || room->second > 0;
  };
  return tenant && origin && left(load.room, job.origin) && left(load.batch_room, job.batch) &&
         !load.in_flight.contains(job.fingerprint);
}

std::int64_t served_at(const Load& load, const std::string& tenant) {
  const auto found = load.served.find(tenant);
  return found == load.served.end() ? 0 : found->second;
}

// Lower is served sooner.
auto urgency(const std::vector<Candidate>& queue, const Candidate& head, const Load& load, SystemTime now) {
  const int asked = std::ranges::max(queue, {}, &Candidate::priority).priority;
  const std::int64_t served = served_at(load, head.tenant);
  const std::int64_t ready = head.turn + kAgeing.count() * head.priority;
  const Millis neglected{now.time_since_epoch().count() - std::max(served / 1000, ready)};
  const int earned = std::max(0, static_cast<int>(neglected / kAgeing));
  return std::tuple(-std::min(kHighestPriority, asked + earned), count_of(load.by_tenant, head.tenant),
                    served, head.turn);
}

struct Choice {
  std::vector<Candidate>* queue = nullptr;
  std::vector<Candidate>::iterator job;
};

std::optional<Choice> next(Queues& queues, const Load& load, const Caps& caps, SystemTime now) {
  std::optional<Choice> best;
  std::optional<std::tuple<int, int, std::int64_t, std::int64_t>> best_urgency;
  for (auto& [tenant, queue] : queues) {
    const auto head = std::ranges::find_if(queue, [&](const auto& job) { return has_room(job, load, caps); });
    if (head == queue.end()) continue;
    const auto found = urgency(queue, *head, load, now);
    if (best_urgency && *best_urgency <= found) continue;
    best = {&queue, head};
    best_urgency = found;
  }
  return best;
}

}  // namespace

std::vector<JobId> share_out(std::vector<Candidate> candidates, Load& load, const Caps& caps,
                             std::size_t limit, SystemTime now) {
  std::ranges::sort(candidates, {}, [](const Candidate& job) { return std::pair(job.turn, job.id); });
  Queues queues;
  for (Candidate& job : candidates) queues[job.tenant].push_back(std::move(job));

  std::vector<JobId> chosen;
  const std::int64_t begin = now.time_since_epoch().count() * 1000;
  while (chosen.size() < limit) {
    const auto choice = next(queues, load, caps, now);
    if (!choice) break;
    const Candidate job = *choice->job;
    choice->queue->erase(choice->job);
    ++load.by_tenant[job.tenant];
    ++load.by_origin[job.origin];
    if (const auto room = load.room.find(job.origin); room != load.room.end()) --room->second;
    if (!job.fingerprint.empty()) load.in_flight.insert(job.fingerprint);
    if (const auto room = load.batch_room.find(job.batch); room != load.batch_room.end()) --room->second;
    load.served[job.tenant] = begin + static_cast<std::int64_t>(chosen.size());
    chosen.push_back(job.id);
  }
  return chosen;
}

}  // namespace trawl::jobs
