#include "downloads/batch.h"

#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::downloads {
namespace {

constexpr int kTimeoutOfPlaylists = 3600;

// The members of `value` whose text differs from that of a default-made T.
template <class T>
json::object sparse(const T& value) {
  const json::value all = encode(value), plain = encode(T{});
  json::object out;
  for (const auto& [name, member] : all.as_object()) {
    if (member != plain.as_object().at(name)) out[name] = member;
  }
  return out;
}

// The filters that a listing may have had no answer to.
json::object open_filters(const Selection& selection) {
  Selection filters;
  filters.date_after = selection.date_after;
  filters.date_before = selection.date_before;
  filters.min_duration = selection.min_duration;
  filters.max_duration = selection.max_duration;
  filters.min_views = selection.min_views;
  filters.max_views = selection.max_views;
  return sparse(filters);
}

std::unexpected<Error> refuse(std::string message) {
  return fail(Errc::invalid, std::move(message), "validation_error");
}

}  // namespace

BatchSource source_of(const BatchRequest& request) {
  return request.source.value_or(request.urls.empty() ? BatchSource::playlist : BatchSource::urls);
}

bool stops_on_error(const BatchRequest& request) {
  return request.stop_on_error || !request.ignore_errors;
}

bool skips_downloaded(const BatchRequest& request) {
  return request.skip_downloaded.value_or(source_of(request) != BatchSource::urls);
}

int slots_while_listing(const BatchRequest& request) {
  return Selector(request).reorders() ? 0 : request.concurrency;
}

Result<void> check_batch(const BatchRequest& request) {
  if (request.urls.size() > kMaxUrls)
    return fail(Errc::too_large,
                fmt::format("{} URLs: the batch exceeds maximum of {}", request.urls.size(), kMaxUrls),
                "batch_too_large");
  if (source_of(request) == BatchSource::urls) {
    if (request.urls.empty()) return refuse("urls must not be empty");
    if (request.url) return refuse("url and urls do not go together");
    std::set<std::string_view> seen;
    for (const std::string& url : request.urls) {
      if (!seen.insert(trim(url)).second) return refuse(fmt::format("urls: {} is there twice", url));
    }
  } else {
    if (!request.urls.empty()) return refuse("urls belong to the source 'urls' only");
    if (!request.url) return refuse("url is required");
  }
  return check_selection(request);
}

std::string_view batch_status(const Batch& batch) {
  const BatchCounts& counts = batch.counts;
  if (!batch_ended(batch)) {
    const bool waits = counts.running == 0;
    if (batch.intent == Intent::pause && waits) return "paused";
    if (batch.expansion == Expansion::pending)
      return batch.listed > 0 || counts.total() > 0 ? "running" : "queued";
    if (waits && counts.queued == 0 && counts.paused > 0) return "paused";
    return waits && counts.open() == counts.total() ? "queued" : "running";
  }
  if (batch.intent == Intent::stop || batch.expansion == Expansion::failed) return "failed";
  if (batch.intent == Intent::cancel && (counts.cancelled > 0 || counts.total() == 0)) return "cancelled";
  if (counts.completed > 0 || counts.failed + counts.cancelled == 0) return "completed";
  return counts.failed > 0 ? "failed" : "cancelled";
}

bool batch_ended(const Batch& batch) {
  return batch.expansion != Expansion::pending && batch.counts.open() == 0;
}

std::string default_template(BatchSource source) {
  switch (source) {
    case BatchSource::urls:
      return "batch/{batch_id}/{safe_title}-{id}.{ext}";
    case BatchSource::playlist:
      return "playlists/{playlist}/{playlist_index:03d}-{title}.{ext}";
    case BatchSource::channel:
      return "channels/{uploader}/{upload_date}-{title}.{ext}";
  }
  return "{safe_title}-{id}.{ext}";
}

json::object child_request(const Batch& batch, const media::Entry& entry, const json::object& playlist) {
  const BatchSource source = source_of(batch.request);
  media::DownloadRequest child;
  static_cast<media::DownloadOptions&>(child) = batch.request;
  child.url = entry.url;
  child.priority = batch.request.priority;
  if (!child.path_template) child.path_template = default_template(source);
  if (!child.timeout_sec && source != BatchSource::urls) child.timeout_sec = kTimeoutOfPlaylists;

  Membership membership{.batch = batch.id,
                        .key = entry_key(entry.extractor, entry.id, entry.url, entry.target),
                        .title = entry.title,
                        .target = entry.target,
                        .playlist = playlist,
                        .filters = open_filters(batch.request),
                        .skip_downloaded = skips_downloaded(batch.request)};
  if (!playlist.empty()) membership.playlist["playlist_index"] = entry.index;
  json::object out = sparse(child);
  out["member"] = sparse(membership);
  return out;
}

Result<std::optional<Membership>> membership_of(const json::object& request) {
  const json::value* stored = request.if_contains("member");
  if (!stored) return std::nullopt;
  auto membership = decode_own<Membership>(*stored, "member");
  if (!membership) return fail(std::move(membership.error()));
  return std::move(*membership);
}

json::object playlist_fields(const media::Playlist& playlist) {
  const auto first = [](const std::string& a, const std::string& b) { return a.empty() ? b : a; };
  json::object out;
  for (const auto& [name, value] :
       {std::pair<std::string_view, std::string>{"playlist", first(playlist.title, playlist.id)},
        {"playlist_title", playlist.title},
        {"playlist_id", playlist.id},
        {"playlist_uploader", first(playlist.uploader, playlist.channel)},
        {"playlist_uploader_id", first(playlist.uploader_id, playlist.channel_id)}}) {
    if (!value.empty()) out[name] = value;
  }
  return out;
}

}  // namespace trawl::downloads
