// A node of the queue whose jobs do nothing but wait: what the queue itself promises and costs.
//
//   queue_node submit --db URL --jobs 1000            prints the ids, each once its job is on disk
//   queue_node work --db URL [--redis URL] --slots 2  works until it is killed, or SIGTERM
//   queue_node drain ...                              works until no job waits or runs, prints jobs/s
//
// One line of JSON a log entry on standard error, as trawl writes them.
#include <csignal>
#include <fstream>
#include <iostream>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "async/run.h"
#include "base/log.h"
#include "db/notify_wire.h"
#include "events/relay.h"
#include "jobs/doorbell.h"
#include "jobs/worker.h"
#include "redis/pubsub_wire.h"
#include "redis/streams_wire.h"

namespace trawl {
namespace {

using namespace std::chrono_literals;

struct Options {
  std::string db, redis, name;
  std::string tenant, origin;  // Of what is submitted.
  int jobs = 1000, together = 32, slots = 2, lease_ms = 1000, connections = 4;
  int least_ms = 1, most_ms = 12;
  double stalls = 0;     // How many of the tasks stop the whole process for 1.5 leases.
  std::string write_to;  // A folder where each task leaves the file <job>.<epoch>.
  int retries = 1000;
  int per_origin = 0;  // Jobs of one origin that run at the same time; 0: no limit.
  bool until_empty = false;
};

std::uint64_t hash_of(const jobs::Lease& lease) {
  return std::hash<std::string>{}(fmt::format("{}.{}", lease.job.str(), lease.epoch));
}

class Node {
 public:
  Node(asio::io_context& context, Options options)
      : options_(std::move(options)), executor_(context.get_executor()), bus_(executor_), scope_(executor_) {
    if (options_.name.empty()) options_.name = fmt::format("{}.{}", ::getpid(), random_hex(4));
  }

  Task<int> run(const std::string& what) {
    if (const auto opened = open(); !opened) {
      std::cerr << opened.error().message << std::endl;
      co_return 1;
    }
    int code = what == "submit" ? co_await submit() : co_await work();
    if (doorbell_) co_await doorbell_->stop();
    if (relay_) relay_->stop();
    co_await scope_.close();
    database_->close();
    co_return code;
  }

 private:
  Result<void> open() {
    const bool shared = options_.db.starts_with("postgres");
    auto opened =
        shared ? db::open_postgres(options_.db, executor_, static_cast<std::size_t>(options_.connections))
               : db::open_sqlite(options_.db.substr(std::string_view("sqlite:///").size()), executor_);
    if (!opened) return fail(opened.error());
    database_ = std::move(*opened);
    log_.emplace(*database_, bus_, clock_);
    jobs::JobStore::Options store;
    store.budgets.failures = store.budgets.crashes = store.budgets.lost_workers = options_.retries;
    store.caps.per_origin = options_.per_origin;
    store_.emplace(*database_, *log_, store, executor_);
    if (!options_.redis.empty()) {
      const auto address = redis::parse_url(options_.redis);
      if (!address) return fail(address.error());
      events_ = redis::make_pubsub_wire(*address, executor_, "trawl:events");
      rings_ = redis::make_streams_wire(*address, executor_, {.consumer = options_.name});
    } else if (shared) {
      events_ = db::make_notify_wire(options_.db, executor_, "trawl_events");
    }
    if (events_) {
      relay_.emplace(bus_, *events_, options_.name);
      relay_->start();
    }
    return {};
  }

  Task<int> submit() {
    ring_at_the_door(nullptr);
    int left = options_.jobs;
    for (int i = 0; i < options_.together; ++i) scope_.spawn("submit", submit_some(left));
    co_await scope_.join();
    co_return 0;
  }

  Task<void> submit_some(int& left) {
    while (left > 0) {
      --left;
      const auto job = co_await store_->add(
          {.kind = "nothing", .tenant = options_.tenant, .origin = options_.origin, .request = {}});
      if (job)
        std::cout << job->id.str() + "\n" << std::flush;
      else
        ++left, co_await sleep_for(20ms);
    }
  }

  void ring_at_the_door(jobs::Worker* worker) {
    doorbell_.emplace(executor_, *store_, bus_, rings_.get(),
                      worker ? jobs::Doorbell::HasRoom([this, worker] {
                        return worker->running() < static_cast<std::size_t>(options_.slots);
                      })
                             : jobs::Doorbell::HasRoom());
    doorbell_->start();
  }

  Task<int> work() {
    jobs::Worker worker(executor_, *store_, bus_, clock_,
                        {.name = options_.name,
                         .slots = static_cast<std::size_t>(options_.slots),
                         .lease = Millis(options_.lease_ms)},
                        [this](jobs::Run& run) { return nothing(run); });
    ring_at_the_door(&worker);
    worker.start();
    std::cout << "working" << std::endl;
    const auto began = std::chrono::steady_clock::now();
    if (options_.until_empty) {
      while (!co_await empty()) co_await sleep_for(20ms);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
      std::cout << fmt::format("{} jobs in {:.3f} s", done_, took.count()) << std::endl;
    } else {
      asio::signal_set signals(executor_, SIGTERM);
      co_await signals.async_wait(asio::use_awaitable);
    }
    co_await worker.drain(5s);
    co_return 0;
  }

  Task<bool> empty() {
    const auto counts = co_await store_->counts();
    if (!counts) co_return false;
    for (const auto& [state, count] : *counts) {
      if (!jobs::final(state) && count > 0) co_return false;
    }
    co_return true;
  }

  Task<jobs::Outcome> nothing(jobs::Run& run) {
    const std::uint64_t dice = hash_of(run.lease());
    const auto range = static_cast<std::uint64_t>(options_.most_ms - options_.least_ms + 1);
    if (options_.most_ms > 0) co_await sleep_for(Millis(options_.least_ms + static_cast<int>(dice % range)));
    // The whole process, so that nothing renews its leases or notices that they are over.
    if (static_cast<double>(dice >> 16 & 0xffff) < options_.stalls * 65536)
      std::this_thread::sleep_for(Millis(options_.lease_ms * 3 / 2));
    if (!options_.write_to.empty())
      std::ofstream(fmt::format("{}/{}.{}", options_.write_to, run.job().id.str(), run.job().epoch))
          << options_.name;
    ++done_;
    co_return jobs::JobStore::Also([](db::Transaction&) -> Result<json::object> { return json::object(); });
  }

  Options options_;
  asio::any_io_executor executor_;
  SystemClock clock_;
  events::Bus bus_;
  Scope scope_;
  std::unique_ptr<Wire> events_, rings_;
  std::unique_ptr<db::Database> database_;
  std::optional<events::EventLog> log_;
  std::optional<jobs::JobStore> store_;
  std::optional<events::Relay> relay_;
  std::optional<jobs::Doorbell> doorbell_;
  int done_ = 0;
};

}  // namespace
}  // namespace trawl

int main(int argc, char** argv) {
  trawl::Options options;
  CLI::App app("a node of the queue whose jobs do nothing");
  app.require_subcommand(1);
  for (const char* name : {"submit", "work", "drain"}) {
    auto* command = app.add_subcommand(name);
    command->add_option("--db", options.db)->required();
    command->add_option("--redis", options.redis);
    command->add_option("--name", options.name);
    command->add_option("--tenant", options.tenant);
    command->add_option("--origin", options.origin);
    command->add_option("--per-origin", options.per_origin);
    command->add_option("--jobs", options.jobs);
    command->add_option("--together", options.together);
    command->add_option("--slots", options.slots);
    command->add_option("--lease-ms", options.lease_ms);
    command->add_option("--connections", options.connections);
    command->add_option("--least-ms", options.least_ms);
    command->add_option("--most-ms", options.most_ms);
    command->add_option("--stalls", options.stalls);
    command->add_option("--write-to", options.write_to);
  }
  CLI11_PARSE(app, argc, argv);
  const std::string what = app.get_subcommands().front()->get_name();
  options.until_empty = what == "drain";
  trawl::asio::io_context context(1);
  trawl::Node node(context, options);
  return trawl::run_to_end(context, node.run(what));
}
