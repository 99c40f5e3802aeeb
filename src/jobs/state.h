#pragma once

#include <string_view>
#include <utility>

#include "base/describe.h"

namespace trawl::jobs {

// Where a job is. The last five are final: only a person who asks for the job again (Step::retry)
// leads out of them, as a new round with new epochs.
enum class State {
  scheduled,
  queued,
  running,
  paused,
  retry_wait,
  cancelling,
  completed,
  failed,  // An error that will not go away.
  dead,    // A budget is used up: a dead letter.
  cancelled,
  expired,  // The deadline passed.
};

[[nodiscard]] constexpr bool final(State state) {
  return state >= State::completed;
}

// What moves a job.
enum class Step {
  due,      // Its time has come, or the delay of a retry is over.
  claim,    // Handed to a worker.
  release,  // Given back by a drain, or its worker vanished.
  pause,
  resume,
  retry,  // A person asks for it now, or again.
  cancel,
  stopped,   // What was asked to stop has stopped.
  complete,  // Published.
  fail,
  back_off,  // An error that may go away.
  bury,      // A budget is used up.
  expire,
};

struct Transition {
  Step by;
  State from, to;
};

// Every transition there is. The guard of each UPDATE is made from this table, so one that is not
// here cannot happen. docs/job-states.md draws it.
inline constexpr Transition kTransitions[] = {
    {Step::due, State::scheduled, State::queued},
    {Step::due, State::retry_wait, State::queued},
    {Step::claim, State::queued, State::running},
    {Step::release, State::running, State::queued},
    {Step::pause, State::scheduled, State::paused},
    {Step::pause, State::queued, State::paused},
    {Step::pause, State::retry_wait, State::paused},
    {Step::pause, State::running, State::paused},
    {Step::resume, State::paused, State::scheduled},
    {Step::resume, State::paused, State::queued},
    {Step::retry, State::retry_wait, State::queued},
    {Step::retry, State::failed, State::queued},
    {Step::retry, State::dead, State::queued},
    {Step::retry, State::cancelled, State::queued},
    {Step::retry, State::expired, State::queued},
    {Step::cancel, State::scheduled, State::cancelled},
    {Step::cancel, State::queued, State::cancelled},
    {Step::cancel, State::paused, State::cancelled},
    {Step::cancel, State::retry_wait, State::cancelled},
    {Step::cancel, State::running, State::cancelling},
    {Step::stopped, State::cancelling, State::cancelled},
    {Step::complete, State::running, State::completed},
    {Step::fail, State::running, State::failed},
    {Step::back_off, State::running, State::retry_wait},
    {Step::bury, State::running, State::dead},
    {Step::expire, State::scheduled, State::expired},
    {Step::expire, State::queued, State::expired},
    {Step::expire, State::running, State::expired},
    {Step::expire, State::paused, State::expired},
    {Step::expire, State::retry_wait, State::expired},
};

[[nodiscard]] constexpr bool allowed(Step by, State from, State to) {
  for (const Transition& known : kTransitions) {
    if (known.by == by && known.from == from && known.to == to) return true;
  }
  return false;
}

// The word the API uses (API.md 2.1): what waits is queued, cancelling still running, dead and
// expired failed.
[[nodiscard]] constexpr std::string_view api_status(State state) {
  switch (state) {
    case State::scheduled:
    case State::queued:
    case State::retry_wait:
      return "queued";
    case State::running:
    case State::cancelling:
      return "running";
    case State::paused:
      return "paused";
    case State::completed:
      return "completed";
    case State::failed:
    case State::dead:
    case State::expired:
      return "failed";
    case State::cancelled:
      return "cancelled";
  }
  return "failed";
}

}  // namespace trawl::jobs

template <>
struct trawl::EnumText<trawl::jobs::State> {
  using S = trawl::jobs::State;
  static constexpr std::pair<S, std::string_view> names[] = {
      {S::scheduled, "scheduled"}, {S::queued, "queued"},         {S::running, "running"},
      {S::paused, "paused"},       {S::retry_wait, "retry_wait"}, {S::cancelling, "cancelling"},
      {S::completed, "completed"}, {S::failed, "failed"},         {S::dead, "dead"},
      {S::cancelled, "cancelled"}, {S::expired, "expired"}};
};
