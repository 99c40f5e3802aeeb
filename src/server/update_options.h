#pragma once

#include "server/config.h"
#include "updates/updater.h"

namespace trawl::server {

// Where releases of yt-dlp lie, and how they are fetched and tried.
[[nodiscard]] updates::Shelf shelf_of(const Config& config);
[[nodiscard]] updates::Updater::Options updater_options(const Config& config);

}  // namespace trawl::server
