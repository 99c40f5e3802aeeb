#include "server/update_options.h"

#include "server/engine_options.h"

namespace trawl::server {
namespace {

std::filesystem::path folder_of(const Config& config) {
  return std::filesystem::absolute(config.storage.dir) / "engine";
}

}  // namespace

updates::Shelf shelf_of(const Config& config) {
  return updates::Shelf(folder_of(config));
}

updates::Updater::Options updater_options(const Config& config) {
  return {.index = config.engine.update_index,
          .engine = engine_options(config),
          .smoke = config.engine.smoke_urls,
          .work = folder_of(config) / "trials"};
}

}  // namespace trawl::server
