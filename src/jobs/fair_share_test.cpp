#include "jobs/fair_share.h"

#include <gtest/gtest.h>

#include "jobs/turn.h"

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;

const SystemTime kNow{Millis{1'767'225'600'000}};

class ShareOut : public testing::Test {
 protected:
  JobId add(std::string tenant, int priority = 5, Millis waited = 0ms, std::string origin = "a") {
    const JobId id = JobId::make(kNow);
    jobs.push_back({id, std::move(tenant), std::move(origin), priority, turn_of(kNow - waited, priority)});
    names[id] = jobs.back().tenant;
    return id;
  }
  std::string order(std::size_t limit, Caps caps = {}) {
    std::string out;
    for (const JobId& id : share_out(jobs, load, caps, limit, kNow)) out += names[id];
    return out;
  }
  std::vector<JobId> ids(std::size_t limit, Caps caps = {}) {
    return share_out(jobs, load, caps, limit, kNow);
  }

  std::vector<Candidate> jobs;
  std::map<JobId, std::string> names;
  Load load;
};

TEST_F(ShareOut, GivesTenantsTurnsHoweverManyJobsOneHas) {
  for (int i = 0; i < 20; ++i) add("A", 5, 10s);
  for (int i = 0; i < 3; ++i) add("B"), add("C");
  EXPECT_EQ(order(9), "ABCABCABC");
}

TEST_F(ShareOut, ServesTheTenantWithTheFewestRunningJobsFirst) {
  load.by_tenant = {{"A", 3}, {"B", 1}};
  for (int i = 0; i < 4; ++i) add("A"), add("B");
  EXPECT_EQ(order(4), "BBAB");
}

TEST_F(ShareOut, RemembersWhoWasServedLast) {
  add("A"), add("B");
  load.served = {{"A", kNow.time_since_epoch().count() * 1000},
                 {"B", kNow.time_since_epoch().count() * 1000 - 9}};
  EXPECT_EQ(order(1), "B");
}

TEST_F(ShareOut, PutsTheMoreUrgentTenantFirst) {
  add("A", 5), add("B", 6), add("B", 6);
  EXPECT_EQ(order(3), "BBA");
}

TEST_F(ShareOut, LetsNobodyWaitMoreThanTenMinutesForTheUrgentJobsOfOthers) {
  add("A", 1, 10min);
  for (int i = 0; i < 3; ++i) add("B", 10);
  load.by_tenant = {{"B", 4}};
  EXPECT_EQ(order(1), "A");
}

TEST_F(ShareOut, DoesNotLetABacklogAgePastNewcomers) {
  for (int i = 0; i < 5; ++i) add("A", 5, 30min);
  load.served = {{"A", kNow.time_since_epoch().count() * 1000}};
  add("B", 5);
  EXPECT_EQ(order(1), "B");
}

TEST_F(ShareOut, OrdersATenantsOwnJobsByPriorityUntilTheyHaveAged) {
  const JobId low = add("A", 1, 9min), urgent = add("A", 10), aged = add("A", 1, 11min);
  EXPECT_EQ(ids(3), (std::vector{aged, urgent, low}));
}

TEST_F(ShareOut, PassesOverWhatWouldExceedACap) {
  add("A", 9, 0ms, "full");
  const JobId other = add("A", 5, 0ms, "free");
  load.by_origin = {{"full", 2}};
  EXPECT_EQ(ids(5, {.per_tenant = 0, .per_origin = 2}), std::vector{other});
}

TEST_F(ShareOut, CountsWhatItHandsOutAgainstTheCaps) {
  for (int i = 0; i < 9; ++i) add("A"), add("B");
  EXPECT_EQ(order(9, {.per_tenant = 2, .per_origin = 3}), "ABA");
}

TEST_F(ShareOut, HandsOutNoMoreOfABatchThanItHasRoomFor) {
  for (int i = 0; i < 5; ++i) add("A"), jobs.back().batch = "b";
  add("A", 5, -1s);  // Behind them, and of no batch.
  load.batch_room = {{"b", 2}, {"other", 0}};
  const auto chosen = ids(10);
  ASSERT_EQ(chosen.size(), 3u);
  EXPECT_EQ(chosen.back(), jobs.back().id);
  EXPECT_EQ(load.batch_room["b"], 0);
}

TEST_F(ShareOut, HandsOutOneOfIdenticalRequestsAtATime) {
  for (int i = 0; i < 3; ++i) add("A"), jobs.back().fingerprint = "same";
  const JobId other = add("B");
  const auto chosen = ids(10);
  ASSERT_EQ(chosen.size(), 2u);
  EXPECT_TRUE(std::ranges::count(chosen, other) == 1 && std::ranges::count(chosen, jobs[0].id) == 1);
}

}  // namespace
}  // namespace trawl::jobs
