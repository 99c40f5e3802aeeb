#include "engine/switch.h"

#include <algorithm>

namespace trawl::engine {
namespace {

using namespace std::chrono_literals;

// A child with the engine it came from.
class Guest final : public Child {
 public:
  Guest(std::shared_ptr<Engine> home, std::unique_ptr<Child> child)
      : home_(std::move(home)), child_(std::move(child)) {}

  Task<Result<media::Plan>> resolve(std::chrono::seconds limit) override { return child_->resolve(limit); }
  Task<Result<media::Listed>> list(int most, std::chrono::seconds limit) override {
    return child_->list(most, limit);
  }
  Task<Result<void>> transfer(std::chrono::seconds limit, std::chrono::seconds quiet_limit,
                              Keep keep) override {
    return child_->transfer(limit, quiet_limit, std::move(keep));
  }
  Task<Result<std::vector<media::Produced>>> finish(std::chrono::seconds limit) override {
    return child_->finish(limit);
  }
  void wind_up() override { child_->wind_up(); }
  void terminate() override { child_->terminate(); }
  int pid() const override { return child_->pid(); }

 private:
  std::shared_ptr<Engine> home_;  // Outlives the child.
  std::unique_ptr<Child> child_;
};

}  // namespace

Task<Result<std::unique_ptr<Child>>> Switch::open(Request request, Listener listener,
                                                  std::optional<media::Plan> plan, bool transferred) {
  const auto home = current_;
  auto child = co_await home->open(std::move(request), std::move(listener), std::move(plan), transferred);
  if (!child) co_return fail(child.error());
  co_return std::make_unique<Guest>(home, std::move(*child));
}

void Switch::exchange(std::unique_ptr<Engine> next) {
  former_.push_back(std::exchange(current_, std::shared_ptr<Engine>(std::move(next))));
  if (former_.size() == 1) sweeping_.spawn("engines that were exchanged", sweep());
}

Task<void> Switch::sweep() {
  while (!former_.empty()) {
    co_await sleep_for(200ms);
    const auto idle = std::ranges::find(former_, 1, &std::shared_ptr<Engine>::use_count);
    if (idle == former_.end()) continue;
    const std::shared_ptr<Engine> engine = *idle;  // Stays in the list: whoever stops us stops it too.
    co_await engine->stop();
    std::erase(former_, engine);
  }
}

Task<void> Switch::stop() {
  co_await sweeping_.close();
  for (const std::shared_ptr<Engine>& engine : former_) co_await engine->stop();
  former_.clear();
  co_await current_->stop();
}

}  // namespace trawl::engine
