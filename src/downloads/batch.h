#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "downloads/selection.h"
#include "media/options.h"

namespace trawl::downloads {

enum class BatchSource { urls, playlist, channel };

// The body of POST /batches: where the URLs come from, which of them, and what to make of each.
struct BatchRequest : media::DownloadOptions, Selection {
  std::optional<BatchSource> source;  // Unless set: urls when there are any, else playlist.
  std::optional<std::string> url;     // Of the playlist or channel.
  std::vector<std::string> urls;
  int concurrency = 3;
  bool stop_on_error = false;
  bool ignore_errors = true;
  std::optional<bool> skip_downloaded;  // Unless set: for playlists and channels.
  std::optional<std::int64_t> stop_after_known;
  int priority = 5;
};
BOOST_DESCRIBE_STRUCT(BatchRequest, (media::DownloadOptions, Selection),
                      (source, url, urls, concurrency, stop_on_error, ignore_errors, skip_downloaded,
                       stop_after_known, priority))

inline constexpr std::size_t kMaxUrls = 100;

[[nodiscard]] BatchSource source_of(const BatchRequest& request);
// What the first failure means: the rest is not tried.
[[nodiscard]] bool stops_on_error(const BatchRequest& request);
[[nodiscard]] bool skips_downloaded(const BatchRequest& request);
// Children that may run at once while the playlist is still being listed: none when the order asked for is
// known only at its end.
[[nodiscard]] int slots_while_listing(const BatchRequest& request);

// Checks what no single field can: Errc::invalid, or Errc::too_large for more URLs than a batch may have.
[[nodiscard]] Result<void> check_batch(const BatchRequest& request);

// Whether the children are known. Listing goes on after a crash; `failed` is for good.
enum class Expansion { pending, done, failed };
// What was last asked of a batch; `stop` is what a failure asks.
enum class Intent { run, pause, cancel, stop };

// How many children are in which status of the API. What a filter left out once its entry was resolved
// counts as skipped, not as failed.
struct BatchCounts {
  std::int64_t queued = 0, running = 0, paused = 0, completed = 0, failed = 0, cancelled = 0, skipped = 0;

  [[nodiscard]] std::int64_t open() const { return queued + running + paused; }
  [[nodiscard]] std::int64_t total() const { return open() + completed + failed + cancelled + skipped; }
  friend bool operator==(const BatchCounts&, const BatchCounts&) = default;
};
BOOST_DESCRIBE_STRUCT(BatchCounts, (), (queued, running, paused, completed, failed, cancelled, skipped))

// A row of `batches` with the counts of its children, all of one moment.
struct Batch {
  std::string id;  // "batch_" and 32 hex digits that sort by creation.
  std::string tenant;
  std::optional<std::string> subscription;
  BatchRequest request;
  bool baseline = false;  // Makes no children: only remembers what its subscription need not take.
  std::string title;
  Expansion expansion = Expansion::pending;
  Intent intent = Intent::run;
  std::int64_t listed = 0;   // Entries of the playlist that were looked at.
  std::int64_t skipped = 0;  // Wanted, but downloaded before.
  std::optional<std::string> error_code, error_message;
  SystemTime created_at, updated_at;
  std::optional<SystemTime> started_at,
      completed_at;  // Of the children: the first, and once all ended the last.
  BatchCounts counts;
};

// The status of a batch, in the words of the API, follows from its children and from nothing else that
// could disagree with them.
[[nodiscard]] std::string_view batch_status(const Batch& batch);
[[nodiscard]] bool batch_ended(const Batch& batch);

// Where a child's file goes when the request does not say.
[[nodiscard]] std::string default_template(BatchSource source);

// What a child knows of its batch; part of its stored request.
struct Membership {
  std::string batch;
  std::string key;        // entry_key()
  std::string title;      // As listed.
  json::object target;    // media::Entry
  json::object playlist;  // For file names and tags: playlist, playlist_index, ...
  json::object filters;   // Selection fields that the listing could not answer for.
  bool skip_downloaded = false;
};
BOOST_DESCRIBE_STRUCT(Membership, (), (batch, key, title, target, playlist, filters, skip_downloaded))

// The stored request of a child: only what differs from the defaults, because there are thousands.
[[nodiscard]] json::object child_request(const Batch& batch, const media::Entry& entry,
                                         const json::object& playlist);
// The membership in a stored request; nothing for a download of its own.
[[nodiscard]] Result<std::optional<Membership>> membership_of(const json::object& request);

// What names and tags of children take from their playlist.
[[nodiscard]] json::object playlist_fields(const media::Playlist& playlist);

}  // namespace trawl::downloads

template <>
struct trawl::EnumText<trawl::downloads::BatchSource> {
  using S = trawl::downloads::BatchSource;
  static constexpr std::pair<S, std::string_view> names[] = {
      {S::urls, "urls"}, {S::playlist, "playlist"}, {S::channel, "channel"}};
};
template <>
struct trawl::EnumText<trawl::downloads::Expansion> {
  using E = trawl::downloads::Expansion;
  static constexpr std::pair<E, std::string_view> names[] = {
      {E::pending, "pending"}, {E::done, "done"}, {E::failed, "failed"}};
};
template <>
struct trawl::EnumText<trawl::downloads::Intent> {
  using I = trawl::downloads::Intent;
  static constexpr std::pair<I, std::string_view> names[] = {
      {I::run, "run"}, {I::pause, "pause"}, {I::cancel, "cancel"}, {I::stop, "stop"}};
};

template <>
struct trawl::Rules<trawl::downloads::BatchRequest> {
  static constexpr FieldRule fields[] = {
      {.name = "source",
       .doc = "Where the URLs come from; unless set, `urls` when there are any, else a playlist.",
       .example = R"("playlist")"},
      {.name = "url",
       .doc = "The playlist or channel.",
       .min = 1,
       .max = 8192,
       .check = trawl::media::check_http_url},
      {.name = "urls",
       .doc = "At most 100 different URLs.",
       .example = R"(["https://example.com/watch?v=1"])",
       .check = trawl::media::check_http_url},
      {.name = "concurrency",
       .doc = "How many of the batch run at once, at most.",
       .min = 1,
       .max = 10,
       .alias = "concurrent_limit"},
      {.name = "stop_on_error", .doc = "The first failure cancels what has not ended."},
      {.name = "ignore_errors", .doc = "false is the same as stop_on_error."},
      {.name = "skip_downloaded",
       .doc = "Leave out what was downloaded before with the same options; on for playlists and channels."},
      {.name = "stop_after_known",
       .doc = "Look no further after so many entries in a row that were taken or downloaded before.",
       .min = 1,
       .max = 100000},
      {.name = "priority", .doc = "1 (lowest) to 10, of every child.", .min = 1, .max = 10}};
};
