#include "downloads/working_place.h"

#include <fstream>

#include <fmt/format.h>

namespace trawl::downloads {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto kLook = 50ms;
constexpr auto kLongest = 2s;             // Where the system does not say what a process does.
constexpr auto kLeastWanted = kLook / 4;  // In that time; less than this is waiting.

}  // namespace

std::optional<std::chrono::nanoseconds> processor_time_wanted(int pid) {
  std::ifstream file(fmt::format("/proc/{}/schedstat", pid));
  std::int64_t ran = 0, waited = 0;
  if (!(file >> ran >> waited)) return std::nullopt;
  return std::chrono::nanoseconds(ran + waited);
}

struct WorkingPlace::State {
  State(asio::any_io_executor executor, Semaphore::Permit given, int process)
      : permit(std::move(given)),
        pid(process),
        wanted(processor_time_wanted(pid)),
        timer(std::move(executor)) {}

  [[nodiscard]] bool still_works() {
    const auto before = std::exchange(wanted, processor_time_wanted(pid));
    if (!before || !wanted) return steady_clock::now() - since < kLongest;
    return *wanted - *before >= kLeastWanted;
  }

  std::optional<Semaphore::Permit> permit;
  const int pid;
  std::optional<std::chrono::nanoseconds> wanted;
  const steady_clock::time_point since = steady_clock::now();
  asio::steady_timer timer;
};

WorkingPlace::WorkingPlace(asio::any_io_executor executor, Semaphore::Permit permit, int pid)
    : state_(std::make_shared<State>(std::move(executor), std::move(permit), pid)) {
  look_later(state_);
}

WorkingPlace::~WorkingPlace() {
  state_->permit.reset();
  state_->timer.cancel();
}

void WorkingPlace::look_later(std::shared_ptr<State> state) {
  state->timer.expires_after(kLook);
  state->timer.async_wait([state](boost::system::error_code cancelled) {
    if (cancelled || !state->permit) return;
    if (state->still_works())
      look_later(state);
    else
      state->permit.reset();
  });
}

}  // namespace trawl::downloads
