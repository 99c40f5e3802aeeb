#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/describe.h"
#include "base/json.h"

namespace trawl::media {

// One entry of a playlist, as far as its listing says; what it does not say is empty.
struct Entry {
  std::string id;   // The site's, with `extractor`; empty when only the entry's own page knows it.
  std::string url;  // For people. Several entries have the same one when they have no address of their own.
  std::string title;
  std::int64_t index = 0;  // In the playlist, from 1.
  std::optional<double> duration;
  std::optional<std::int64_t> view_count;
  std::string uploader;
  std::string upload_date;  // YYYYMMDD
  std::string thumbnail;
  std::string extractor;
  json::object target;  // How the engine finds it again; only the engine looks inside.
};
BOOST_DESCRIBE_STRUCT(Entry, (),
                      (id, url, title, index, duration, view_count, uploader, upload_date, thumbnail,
                       extractor, target))

// What a listing says of the playlist or channel itself.
struct Playlist {
  std::string id, title, description, uploader, uploader_id, uploader_url, channel, channel_id, channel_url;
  std::string webpage_url, thumbnail, extractor;
  std::optional<std::int64_t> playlist_count;          // As the site says, before anything is left out.
  std::optional<std::int64_t> channel_follower_count;  // Subscribers.
};
BOOST_DESCRIBE_STRUCT(Playlist, (),
                      (id, title, description, uploader, uploader_id, uploader_url, channel, channel_id,
                       channel_url, webpage_url, thumbnail, extractor, playlist_count,
                       channel_follower_count))

// A page of a listing.
struct Listed {
  Playlist playlist;
  std::vector<Entry> entries;
  bool last = false;  // Nothing comes after it.
};
BOOST_DESCRIBE_STRUCT(Listed, (), (playlist, entries, last))

}  // namespace trawl::media
