#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "async/blocking_pool.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "net/egress_proxy.h"
#include "transfer/http_client.h"
#include "updates/release.h"
#include "updates/shelf.h"

namespace trawl::updates {

// Fetches releases of yt-dlp, tries them, and says which one counts. Everything it fetches passes the egress
// judge.
class Updater {
 public:
  struct Options {
    std::string index;               // Where the newest release is announced.
    engine::EngineOptions engine;    // The engine as it is without a release from the shelf.
    std::vector<std::string> smoke;  // Pages that a release must be able to resolve.
    std::filesystem::path work;      // A folder for trials.
    std::chrono::seconds resolve_limit{60};
  };

  Updater(asio::any_io_executor executor, transfer::HttpClient& client, net::EgressProxy& proxy,
          BlockingPool& files, const Clock& clock, Shelf shelf, Options options)
      : executor_(executor),
        client_(client),
        proxy_(proxy),
        files_(files),
        clock_(clock),
        shelf_(std::move(shelf)),
        options_(std::move(options)) {}

  [[nodiscard]] const Shelf& shelf() const { return shelf_; }
  // The engine with a release of the shelf; with the installed yt-dlp for an empty version.
  [[nodiscard]] engine::EngineOptions engine_of(const std::string& version) const;

  // Looks for the newest release and remembers its version.
  [[nodiscard]] Task<Result<Release>> check();
  // Takes the newest release into use, if it is newer than `running` and was not taken back before (`forced`
  // tries it all the same): fetched, its checksum compared, tried beside the one that runs. Errors leave
  // everything as it was: "checksum_mismatch", "release_unusable", or those of the transfer.
  [[nodiscard]] Task<Result<State>> update(std::string running, bool forced);
  // Goes back to the release before. Errc::conflict, reason "nothing_to_roll_back".
  [[nodiscard]] Task<Result<State>> rollback(std::string why);

 private:
  [[nodiscard]] Task<Result<std::string>> fetch_text(std::string url);
  [[nodiscard]] Task<Result<void>> fetch_program(Release release, std::filesystem::path target);
  [[nodiscard]] Task<Result<void>> shelve(Release release);
  [[nodiscard]] Task<Result<void>> try_out(std::string version);
  [[nodiscard]] Task<Result<void>> resolve(engine::Engine& engine, std::string url);

  asio::any_io_executor executor_;
  transfer::HttpClient& client_;
  net::EgressProxy& proxy_;
  BlockingPool& files_;
  const Clock& clock_;
  Shelf shelf_;
  Options options_;
};

}  // namespace trawl::updates
