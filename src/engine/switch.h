#pragma once

#include <memory>
#include <vector>

#include "async/event.h"
#include "async/scope.h"
#include "engine/engine.h"

namespace trawl::engine {

// An engine that can be exchanged for another while children of the one before are still at work.
class Switch final : public Engine {
 public:
  Switch(asio::any_io_executor executor, std::unique_ptr<Engine> first)
      : current_(std::move(first)), sweeping_(executor) {}

  Task<Result<void>> start() override { co_return co_await current_->start(); }
  Task<void> stop() override;
  bool healthy() const override { return current_->healthy(); }
  Versions versions() const override { return current_->versions(); }
  Sandbox sandbox() const override { return current_->sandbox(); }
  Task<Result<std::unique_ptr<Child>>> open(Request request, Listener listener,
                                            std::optional<media::Plan> plan, bool transferred) override;

  // From here on children come from `next`, which has been started. The engine before is stopped when its
  // last child is gone.
  void exchange(std::unique_ptr<Engine> next);

 private:
  Task<void> sweep();

  std::shared_ptr<Engine> current_;
  std::vector<std::shared_ptr<Engine>> former_;  // Those with children still.
  Scope sweeping_;
};

}  // namespace trawl::engine
