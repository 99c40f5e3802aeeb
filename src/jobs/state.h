#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "base/describe.h"

namespace trawl::jobs {

// Where a job is. The last four are final: nothing leaves them.
enum class State { queued, running, retry_wait, cancelling, completed, failed, dead, cancelled };

[[nodiscard]] constexpr bool final(State state) {
  return state >= State::completed;
}

// Every transition there is. The guard of each UPDATE is made from this table (job_store.cpp), so a
// transition that is not here cannot happen.
inline constexpr std::pair<State, State> kTransitions[] = {
    {State::queued, State::running},        // claimed
    {State::retry_wait, State::running},    // claimed after its delay
    {State::queued, State::cancelled},      // cancelled before it ran
    {State::retry_wait, State::cancelled},  // cancelled while it waited
    {State::running, State::completed},     // published
    {State::running, State::failed},        // an error that will not go away
    {State::running, State::retry_wait},    // an error that may go away
    {State::running, State::queued},        // released by a drain, or its worker vanished
    {State::running, State::dead},          // failure or crash budget used up
    {State::running, State::cancelling},    // asked to stop
    {State::cancelling, State::cancelled},  // stopped
};

[[nodiscard]] constexpr bool allowed(State from, State to) {
  for (const auto& [a, b] : kTransitions) {
    if (a == from && b == to) return true;
  }
  return false;
}

// The word the API uses (API.md 2.1): retry_wait is queued, cancelling still running, dead failed.
[[nodiscard]] constexpr std::string_view api_status(State state) {
  switch (state) {
    case State::queued:
    case State::retry_wait:
      return "queued";
    case State::running:
    case State::cancelling:
      return "running";
    case State::completed:
      return "completed";
    case State::failed:
    case State::dead:
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
  static constexpr std::pair<S, std::string_view> names[] = {{S::queued, "queued"},
                                                             {S::running, "running"},
                                                             {S::retry_wait, "retry_wait"},
                                                             {S::cancelling, "cancelling"},
                                                             {S::completed, "completed"},
                                                             {S::failed, "failed"},
                                                             {S::dead, "dead"},
                                                             {S::cancelled, "cancelled"}};
};
