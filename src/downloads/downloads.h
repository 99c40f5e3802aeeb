#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/cookie_store.h"
#include "access/usage.h"
#include "events/event_log.h"
#include "jobs/job_store.h"
#include "media/options.h"
#include "net/egress.h"
#include "storage/storage.h"
#include "webhooks/service.h"

namespace trawl::downloads {

// A job with what it was asked for and what came of it.
struct Download {
  jobs::Job job;
  media::DownloadRequest request;
  std::vector<storage::Artifact> artifacts;
  bool webhook_sent = false;  // Its end has arrived at the listener.
};

struct SubmitLimits {
  std::int64_t low_disk_bytes = 0;  // Less free space than this closes admission; 0: never.
  std::function<bool()> room = {};  // False closes it as well: the disk has been found full.
  // Whether the engine can look like this browser; empty: unknown, each job finds out.
  std::function<bool(std::string_view)> can_impersonate{};
};

// The product's front door: what the API and the command line call.
class Downloads {
 public:
  Downloads(jobs::JobStore& store, events::EventLog& log, events::Bus& bus, storage::ArtifactStore& storage,
            webhooks::Service& webhooks, const net::EgressPolicy& policy, access::CookieStore& cookies,
            db::Database& database, SubmitLimits limits)
      : store_(store),
        log_(log),
        bus_(bus),
        storage_(storage),
        webhooks_(webhooks),
        policy_(policy),
        cookies_(cookies),
        database_(database),
        limits_(std::move(limits)) {}

  // Accepts a decoded request. When this returns a download, it is on disk and will end.
  // Errc::invalid; Errc::forbidden ("address_not_allowed", "domain_not_allowed", ...);
  // Errc::unsupported ("not_available", "impersonation_unavailable") for what this set-up cannot do and for
  // cookies that are not the tenant's; Errc::rate_limited ("quota_exceeded"); Errc::unavailable
  // ("queue_full"); Errc::no_space.
  //
  // `then` runs in the transaction that adds the job, after it; when it fails there is no job.
  using Then = std::function<Result<void>(db::Transaction&, const Download&)>;
  [[nodiscard]] Task<Result<Download>> submit(media::DownloadRequest request, std::string tenant,
                                              Then then = {});

  // Whether a download with these options would be accepted from `tenant` now, whatever its URL. Errors as of
  // submit().
  [[nodiscard]] Task<Result<void>> check(media::DownloadOptions options, std::string tenant);

  [[nodiscard]] Task<Result<Download>> find(JobId id);
  [[nodiscard]] Task<Result<std::string>> owner_of(JobId id);
  // A job with its request and its artifacts.
  [[nodiscard]] Task<Result<Download>> describe(jobs::Job job);

  struct Page {
    std::vector<Download> downloads;  // Newest first.
    std::int64_t total = 0;
  };
  [[nodiscard]] Task<Result<Page>> list(jobs::JobStore::Filter filter);

  // Asks for the end of a download and waits up to `patience` for a running one to stop. Returns
  // the state that came of it (`cancelled`, or `cancelling` when it takes longer).
  [[nodiscard]] Task<Result<jobs::State>> cancel(JobId id, std::chrono::milliseconds patience);
  // As the store has them; a pause waits a moment for a running one to stop.
  [[nodiscard]] Task<Result<jobs::State>> pause(JobId id);
  [[nodiscard]] Task<Result<jobs::State>> resume(JobId id) { return store_.resume(id); }
  [[nodiscard]] Task<Result<jobs::State>> retry(JobId id) { return store_.retry(id); }
  // Ends the recording of a live stream: what is there is kept, and the download completes with it.
  // Errc::conflict, reason "not_recording".
  [[nodiscard]] Task<Result<jobs::State>> end_recording(JobId id);
  // When the files of a completed download are deleted; nothing keeps them.
  [[nodiscard]] Task<Result<void>> set_retention(JobId id, std::optional<SystemTime> until);

  // Downloads that used their budgets up. Errc::conflict, reason "not_dead", for others.
  [[nodiscard]] Task<Result<jobs::JobStore::DeadLetters>> dead_letters(std::int64_t offset,
                                                                       std::int64_t limit) {
    return store_.dead_letters(offset, limit);
  }
  [[nodiscard]] Task<Result<jobs::State>> replay(JobId id);
  [[nodiscard]] Task<Result<void>> bury(JobId id);

  // Deletes an ended download: its files, rows and log.
  [[nodiscard]] Task<Result<void>> purge(JobId id);

  [[nodiscard]] Task<Result<events::EventLog::LogPage>> logs(JobId id, LogLevel min_level, std::int64_t tail,
                                                             std::int64_t offset);
  [[nodiscard]] Task<Result<std::map<jobs::State, std::int64_t>>> counts() { return store_.counts(); }

  [[nodiscard]] events::EventLog& log() { return log_; }
  [[nodiscard]] events::Bus& bus() { return bus_; }

 private:
  [[nodiscard]] Result<void> check_browser(const media::DownloadOptions& request) const;
  [[nodiscard]] Task<Result<void>> admit_webhook(std::optional<std::string> url);
  // Waits until the job is told to be in a state that `done` accepts, at most for `patience`.
  using Done = std::function<bool(const json::object&)>;
  [[nodiscard]] Task<std::optional<jobs::State>> await_state(std::shared_ptr<events::Subscription> watch,
                                                             std::chrono::milliseconds patience, Done done);
  [[nodiscard]] Task<Result<void>> check_dead(JobId id);
  [[nodiscard]] Task<Result<void>> check_space();

  jobs::JobStore& store_;
  events::EventLog& log_;
  events::Bus& bus_;
  storage::ArtifactStore& storage_;
  webhooks::Service& webhooks_;
  const net::EgressPolicy& policy_;
  access::CookieStore& cookies_;
  db::Database& database_;
  SubmitLimits limits_;
};

}  // namespace trawl::downloads
