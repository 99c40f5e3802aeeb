#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/common_views.h"
#include "base/clock.h"
#include "base/describe.h"
#include "jobs/overview.h"

namespace trawl::api {

struct OwnerQueueView {
  std::string owner;  // The id of an API key; empty: jobs made without one.
  std::int64_t queued = 0, running = 0, paused = 0;
  std::optional<SystemTime> oldest;
};
BOOST_DESCRIBE_STRUCT(OwnerQueueView, (), (owner, queued, running, paused, oldest))

struct QueueView {
  std::map<std::string, std::int64_t> states;
  std::int64_t queue_length = 0, active_jobs = 0, total_jobs = 0, max_queued = 0;
  std::vector<OwnerQueueView> owners;
};
BOOST_DESCRIBE_STRUCT(QueueView, (), (states, queue_length, active_jobs, total_jobs, max_queued, owners))

struct RunView {
  std::string job_id, owner, host, phase;
  jobs::State state = jobs::State::running;
  std::int64_t attempt = 0;
  SystemTime claimed_at, lease_until;
};
BOOST_DESCRIBE_STRUCT(RunView, (), (job_id, owner, host, phase, state, attempt, claimed_at, lease_until))

struct WorkerView {
  std::string worker;
  bool here = false;                  // The process that answers.
  std::optional<std::int64_t> slots;  // Known of the process that answers.
  std::optional<bool> draining;
  std::vector<RunView> running;
};
BOOST_DESCRIBE_STRUCT(WorkerView, (), (worker, here, slots, draining, running))

struct BreakerView {
  std::string host;
  jobs::Breaker::State state = jobs::Breaker::State::closed;
  int failures = 0;                           // In a row.
  int recent_calls = 0, recent_failures = 0;  // Since the window began.
  std::optional<SystemTime> open_until;
  std::optional<std::string> probe;
  std::string last_error;
  SystemTime updated_at;
};
BOOST_DESCRIBE_STRUCT(BreakerView, (),
                      (host, state, failures, recent_calls, recent_failures, open_until, probe, last_error,
                       updated_at))

struct AttemptView {
  std::int64_t attempt = 0;
  std::string worker;
  SystemTime started_at, ended_at;
  jobs::State state = jobs::State::failed;
  std::string error_code, error;
};
BOOST_DESCRIBE_STRUCT(AttemptView, (), (attempt, worker, started_at, ended_at, state, error_code, error))

struct DeadLetterView {
  std::string id, job_id, owner, url;
  std::string reason, error;
  int failures = 0, crashes = 0, lost_workers = 0, replay_count = 0;
  SystemTime created_at;
  std::optional<SystemTime> first_failed_at, last_failed_at, died_at;
  std::vector<AttemptView> history;
};
BOOST_DESCRIBE_STRUCT(DeadLetterView, (),
                      (id, job_id, owner, url, reason, error, failures, crashes, lost_workers, replay_count,
                       created_at, first_failed_at, last_failed_at, died_at, history))

struct DeadLettersView {
  std::vector<DeadLetterView> dead_letters;
  std::int64_t total = 0, page = 1, page_size = 20;
};
BOOST_DESCRIBE_STRUCT(DeadLettersView, (), (dead_letters, total, page, page_size))

struct WorkersView {
  std::vector<WorkerView> workers;
  std::int64_t running = 0;
};
BOOST_DESCRIBE_STRUCT(WorkersView, (), (workers, running))

struct BreakersView {
  std::vector<BreakerView> breakers;
};
BOOST_DESCRIBE_STRUCT(BreakersView, (), (breakers))

struct ReplayView {
  std::string id, job_id;  // The same.
  std::string status;
};
BOOST_DESCRIBE_STRUCT(ReplayView, (), (id, job_id, status))

struct BuriedView {
  std::string id;
  std::int64_t deleted = 1;
};
BOOST_DESCRIBE_STRUCT(BuriedView, (), (id, deleted))

struct AllBuriedView {
  std::int64_t deleted = 0;
};
BOOST_DESCRIBE_STRUCT(AllBuriedView, (), (deleted))

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::QueueView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::WorkersView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::BreakersView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::DeadLettersView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::ReplayView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::BuriedView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::AllBuriedView> {
  static json::value make();
};
