// The store against a model of it that fits on two pages, on both databases: random sequences of
// everything that can be asked of jobs, among it writes of holders that have long lost theirs.
//
// TRAWL_SEED=N repeats a failure, TRAWL_SEQUENCES=10000 is the full size.
#include <cstdlib>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "async/run.h"
#include "jobs/job_store.h"
#include "jobs/turn.h"
#include "testing/any_database.h"
#include "testing/fake_clock.h"

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;

constexpr Millis kLease = 60s;
constexpr Millis kJump = 2h;  // More than any delay, deadline and lease.
constexpr Budgets kBudgets{.failures = 2, .crashes = 2, .lost_workers = 2};
const Error kPassing{Errc::unavailable, "reset", "network_error"};
const Error kPermanent{Errc::not_found, "gone", "not_found"};
const Error kCrash{Errc::internal, "segfault", std::string(kCrashReason)};

struct ModelJob {
  State state = State::queued;
  std::int64_t epoch = 0;
  int failures = 0, crashes = 0, losses = 0;
  bool pausing = false;
  int priority = 5;
  std::int64_t turn = 0;
  std::optional<SystemTime> scheduled_at, deadline;
  SystemTime not_before, lease_until;
  int endings = 0;

  void go(State to) {
    state = to;
    pausing = false;
    if (final(to)) ++endings;
  }
  [[nodiscard]] bool waits() const {
    return state == State::scheduled || state == State::queued || state == State::paused ||
           state == State::retry_wait;
  }
};

struct Hold {
  std::size_t job;
  std::int64_t epoch;
};

// What the store promises, without a database.
class Model {
 public:
  std::vector<ModelJob> jobs;

  void add(SystemTime now, int priority, std::optional<SystemTime> at, std::optional<SystemTime> deadline) {
    ModelJob job{.priority = priority, .scheduled_at = at, .deadline = deadline};
    job.state = at ? State::scheduled : State::queued;
    job.not_before = at.value_or(now);
    job.turn = turn_of(job.not_before, priority);
    jobs.push_back(job);
  }
  std::vector<std::size_t> claim(SystemTime now, std::size_t limit) {
    due(now);
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (jobs[i].state == State::queued) out.push_back(i);
    }
    std::ranges::stable_sort(out, {}, [&](std::size_t i) { return jobs[i].turn; });
    if (out.size() > limit) out.resize(limit);
    for (const std::size_t i : out) {
      jobs[i].go(State::running);
      ++jobs[i].epoch;
      jobs[i].lease_until = now + kLease;
    }
    return out;
  }
  std::string renew(SystemTime now, const Hold& hold) {
    ModelJob& job = jobs[hold.job];
    if (!holds(hold, {State::running, State::cancelling})) return "lost";
    job.lease_until = now + kLease;
    return job.state == State::cancelling ? "cancelling" : job.pausing ? "pausing" : "held";
  }
  bool advance(const Hold& hold) { return holds(hold, {State::running}); }
  bool settle(const Hold& hold, State from, State to) {
    if (!holds(hold, {from})) return false;
    jobs[hold.job].go(to);
    return true;
  }
  bool release(const Hold& hold) {
    return settle(hold, State::running, jobs[hold.job].pausing ? State::paused : State::queued);
  }
  std::string fail(SystemTime now, const Hold& hold, const Error& error) {
    ModelJob& job = jobs[hold.job];
    if (!holds(hold, {State::running})) return "lease_lost";
    State to = State::failed;
    if (error == kCrash)
      to = ++job.crashes >= kBudgets.crashes ? State::dead : State::retry_wait;
    else if (error == kPassing)
      to = ++job.failures > kBudgets.failures ? State::dead : State::retry_wait;
    if (to == State::retry_wait && job.pausing) to = State::paused;
    job.not_before = now + 500ms;
    job.go(to);
    return std::string(to_text(to));
  }
  std::string cancel(std::size_t i) {
    if (final(jobs[i].state)) return "already_final";
    if (jobs[i].state != State::cancelling)
      jobs[i].go(jobs[i].state == State::running ? State::cancelling : State::cancelled);
    return text(i);
  }
  std::string pause(std::size_t i) {
    if (final(jobs[i].state)) return "already_final";
    if (jobs[i].state == State::cancelling) return "being_cancelled";
    if (jobs[i].state == State::running)
      jobs[i].pausing = true;
    else
      jobs[i].state = State::paused;
    return text(i);
  }
  std::string resume(SystemTime now, std::size_t i) {
    ModelJob& job = jobs[i];
    if (job.state == State::running && job.pausing) {
      job.pausing = false;
      return text(i);
    }
    if (job.state != State::paused) return "not_paused";
    const bool early = job.scheduled_at && *job.scheduled_at > now;
    job.not_before = early ? *job.scheduled_at : now;
    job.turn = turn_of(job.not_before, job.priority);
    job.go(early ? State::scheduled : State::queued);
    return text(i);
  }
  std::string retry(SystemTime now, std::size_t i) {
    ModelJob& job = jobs[i];
    if (job.state != State::retry_wait && (!final(job.state) || job.state == State::completed))
      return "not_retryable";
    if (final(job.state)) job.failures = job.crashes = job.losses = 0, job.deadline.reset();
    job.turn = turn_of(now, job.priority);
    job.go(State::queued);
    return text(i);
  }
  void reap(SystemTime now) {
    for (ModelJob& job : jobs) {
      if (job.state == State::cancelling && job.lease_until < now) job.go(State::cancelled);
      if (job.state != State::running || job.lease_until >= now) continue;
      ++job.losses;
      job.go(job.losses >= kBudgets.lost_workers ? State::dead : job.pausing ? State::paused : State::queued);
    }
  }
  void tend(SystemTime now) {
    for (ModelJob& job : jobs) {
      if (job.waits() && job.deadline && *job.deadline <= now) job.go(State::expired);
    }
    due(now);
  }

 private:
  void due(SystemTime now) {
    for (ModelJob& job : jobs) {
      if ((job.state != State::scheduled && job.state != State::retry_wait) || job.not_before > now) continue;
      if (job.state == State::scheduled) job.turn = turn_of(job.not_before, job.priority);
      job.go(State::queued);
    }
  }
  [[nodiscard]] bool holds(const Hold& hold, std::initializer_list<State> states) const {
    const ModelJob& job = jobs[hold.job];
    return job.epoch == hold.epoch && std::ranges::find(states, job.state) != states.end();
  }
  [[nodiscard]] std::string text(std::size_t i) const { return std::string(to_text(jobs[i].state)); }
};

std::string text_of(const Result<State>& result) {
  return result ? std::string(to_text(*result)) : result.error().reason;
}

struct JobModel : ::testing::TestWithParam<DatabaseKind> {
  void SetUp() override {
    log.emplace(*database, bus, clock);
    store.emplace(*database, *log, JobStore::Options{.budgets = kBudgets, .caps = {0, 0}, .depths = {0, 0}},
                  context.get_executor());
  }
  template <class T>
  T run(Task<T> task) {
    return run_to_end(context, std::move(task));
  }
  void empty() {
    const auto emptied =
        run(database->write([](db::Transaction& t) { return t.execute("DELETE FROM jobs"); }));
    ASSERT_TRUE(emptied);
  }

  TestDatabase under{GetParam()};
  asio::io_context context;
  FakeClock clock;
  events::Bus bus{context.get_executor()};
  std::unique_ptr<db::Database> database = under.open(context.get_executor(), &clock);
  std::optional<events::EventLog> log;
  std::optional<JobStore> store;
};

// One sequence, done to both.
class Sequence {
 public:
  Sequence(JobModel& test, unsigned seed) : test_(test), random_(seed) {}

  // False at the first difference, which `said()` describes.
  bool run(int steps) {
    for (int i = 0; i < steps; ++i) {
      test_.clock.advance(random(20) == 0 ? kJump : Millis(1));
      if (!step()) return false;
    }
    return same_rows();
  }
  [[nodiscard]] std::string said() const { return fmt::format("{}", fmt::join(said_, "\n")); }

 private:
  std::size_t random(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }
  SystemTime now() const { return test_.clock.now(); }

  bool same(std::string what, const std::string& store, const std::string& model) {
    said_.push_back(
        fmt::format("{}: {}{}", std::move(what), store, store == model ? "" : ", the model says " + model));
    return store == model;
  }

  bool step() {
    const std::size_t op = ids_.empty() ? 0 : random(20);
    if (op < 4) return add();
    if (op < 8) return claim();
    if (op == 8) return reap();
    if (op == 9) return tend();
    if (op < 14) return order(random(ids_.size()), op - 10);
    return holds_.empty() || hold(holds_[random(2) ? holds_.size() - 1 : random(holds_.size())], op - 14);
  }

  bool add() {
    const int priority = static_cast<int>(random(10)) + 1;
    const auto at = random(5) == 0 ? std::optional(now() + 1h) : std::nullopt;
    const auto deadline = random(5) == 0 ? std::optional(now() + 90min) : std::nullopt;
    const auto job = test_.run(test_.store->add(
        {.kind = "x", .priority = priority, .request = {}, .scheduled_at = at, .deadline = deadline}));
    if (!job) return same("add", job.error().reason, "");
    index_[job->id] = ids_.size();
    ids_.push_back(job->id);
    model_.add(now(), priority, at, deadline);
    return same(fmt::format("add {}", ids_.size() - 1), std::string(to_text(job->state)),
                std::string(to_text(model_.jobs.back().state)));
  }

  bool claim() {
    const std::size_t limit = random(3) + 1;
    const auto jobs = test_.run(test_.store->claim("w", limit, kLease));
    std::string got = jobs ? "" : jobs.error().message, wanted;
    for (const Job& job : jobs.value_or(std::vector<Job>())) {
      const std::size_t i = index_.at(job.id);
      got += fmt::format("{}.{} ", i, job.epoch);
      holds_.push_back({i, job.epoch});
    }
    for (const std::size_t i : model_.claim(now(), limit))
      wanted += fmt::format("{}.{} ", i, model_.jobs[i].epoch);
    return same(fmt::format("claim {}", limit), got, wanted);
  }

  bool reap() {
    const auto done = test_.run(test_.store->reap(false));
    model_.reap(now());
    return same("reap", done ? "done" : done.error().message, "done");
  }
  bool tend() {
    const auto done = test_.run(test_.store->tend());
    model_.tend(now());
    return same("tend", done ? "done" : done.error().message, "done");
  }

  bool order(std::size_t i, std::size_t which) {
    JobStore& store = *test_.store;
    switch (which) {
      case 0:
        return same(fmt::format("cancel {}", i), text_of(test_.run(store.cancel(ids_[i]))), model_.cancel(i));
      case 1:
        return same(fmt::format("pause {}", i), text_of(test_.run(store.pause(ids_[i]))), model_.pause(i));
      case 2:
        return same(fmt::format("resume {}", i), text_of(test_.run(store.resume(ids_[i]))),
                    model_.resume(now(), i));
      default:
        return same(fmt::format("retry {}", i), text_of(test_.run(store.retry(ids_[i]))),
                    model_.retry(now(), i));
    }
  }

  bool hold(const Hold& hold, std::size_t which) {
    JobStore& store = *test_.store;
    const Lease lease{ids_[hold.job], hold.epoch};
    const std::string name = fmt::format("{}.{}", hold.job, hold.epoch);
    const auto done = [](const Result<void>& result) {
      return result ? std::string("true") : result.error().reason;
    };
    const auto wanted = [](bool ok) { return ok ? std::string("true") : std::string("lease_lost"); };
    switch (which) {
      case 0: {
        const JobStore::Also nothing = [](db::Transaction&) -> Result<json::object> {
          return json::object();
        };
        return same("complete " + name, done(test_.run(store.complete(lease, nothing))),
                    wanted(model_.settle(hold, State::running, State::completed)));
      }
      case 1: {
        const Error error = std::array{kPassing, kPermanent, kCrash}[random(3)];
        return same("fail " + name, text_of(test_.run(store.fail(lease, error))),
                    model_.fail(now(), hold, error));
      }
      case 2:
        return same("release " + name, done(test_.run(store.release(lease))), wanted(model_.release(hold)));
      case 3:
        return same("stopped " + name, done(test_.run(store.settle_cancelled(lease))),
                    wanted(model_.settle(hold, State::cancelling, State::cancelled)));
      case 4:
        return same("advance " + name, done(test_.run(store.advance(lease, "downloading", {}))),
                    wanted(model_.advance(hold)));
      default: {
        const auto renewed = test_.run(store.renew({lease}, kLease)).value();
        return same("renew " + name,
                    !renewed.held.contains(lease)        ? "lost"
                    : renewed.cancelling.contains(lease) ? "cancelling"
                    : renewed.pausing.contains(lease)    ? "pausing"
                                                         : "held",
                    model_.renew(now(), hold));
      }
    }
  }

  // What is stored at the end, and that each ending was told exactly once.
  bool same_rows() {
    const auto rows = test_.run(test_.database->read([](db::Transaction& t) {
      return t.query(
          "SELECT id, state, epoch, failures, crashes, losses, pause_asked,"
          " (SELECT COUNT(*) FROM events WHERE job_id = jobs.id AND data LIKE '%\"final\":true%') FROM jobs");
    }));
    if (!rows || rows->size() != ids_.size()) return same("rows", "differ", "");
    for (const db::Row& row : *rows) {
      const std::size_t i = index_.at(JobId::parse(row.text(0)).value());
      const ModelJob& job = model_.jobs[i];
      const auto shown = [](std::string_view state, auto... numbers) {
        std::string out(state);
        ((out += fmt::format(" {}", numbers)), ...);
        return out;
      };
      if (!same(fmt::format("job {}", i),
                shown(row.text(1), row.integer(2), row.integer(3), row.integer(4), row.integer(5),
                      row.integer(6), row.integer(7)),
                shown(to_text(job.state), job.epoch, job.failures, job.crashes, job.losses, int{job.pausing},
                      job.endings)))
        return false;
    }
    return true;
  }

  JobModel& test_;
  std::mt19937 random_;
  Model model_;
  std::vector<JobId> ids_;
  std::map<JobId, std::size_t> index_;
  std::vector<Hold> holds_;
  std::vector<std::string> said_;
};

int number_from(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}

TEST_P(JobModel, AgreesOnEverySequence) {
  // The same seeds on both databases.
  const int first = number_from("TRAWL_SEED", static_cast<int>(std::random_device()() % 1'000'000));
  const int sequences = number_from("TRAWL_SEQUENCES", 20);
  for (int seed = first; seed < first + sequences; ++seed) {
    empty();
    Sequence sequence(*this, static_cast<unsigned>(seed));
    ASSERT_TRUE(sequence.run(50)) << "TRAWL_SEED=" << seed << " TRAWL_SEQUENCES=1\n" << sequence.said();
  }
}

INSTANTIATE_TEST_SUITE_P(On, JobModel, kBothDatabases, name_of_database);

}  // namespace
}  // namespace trawl::jobs
