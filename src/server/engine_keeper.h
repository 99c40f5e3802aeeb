#pragma once

#include "async/scope.h"
#include "db/database.h"
#include "engine/switch.h"
#include "updates/updater.h"

namespace trawl::server {

// Keeps the running engine at the release that the shelf says, updates it on schedule, and takes a release
// back that fails much more often than the one before.
class EngineKeeper {
 public:
  struct Options {
    std::chrono::seconds check_every{0};  // 0: nobody but people updates.
    std::chrono::seconds look_every{2};   // For what others have changed, and for a jump of the failures.
  };

  EngineKeeper(asio::any_io_executor executor, engine::Switch& engine, updates::Updater& updater,
               db::Database& database, const Clock& clock, Options options)
      : executor_(executor),
        engine_(engine),
        updater_(updater),
        database_(database),
        clock_(clock),
        options_(options),
        wake_(executor),
        scope_(executor) {}

  // `running`: the release of the shelf that the engine was started with; may be empty.
  void start(std::string running);
  // Lets what it is at end, as a host that is starting cannot be left alone.
  [[nodiscard]] Task<void> stop();

 private:
  Task<void> keep();
  Task<void> follow();
  Task<void> update_when_due();
  Task<void> take_back_when_bad();
  [[nodiscard]] Task<Result<bool>> has_jumped();

  static constexpr std::chrono::minutes kAfterFailure{10};

  asio::any_io_executor executor_;
  engine::Switch& engine_;
  updates::Updater& updater_;
  db::Database& database_;
  const Clock& clock_;
  const Options options_;
  std::string running_;                   // The release of the shelf.
  std::string version_, version_before_;  // Of yt-dlp, as it calls itself.
  std::optional<std::string> refused_;    // What would not start here, as `running_`.
  SystemTime next_try_{};
  bool stopping_ = false;
  Event wake_;
  Scope scope_;
};

}  // namespace trawl::server
