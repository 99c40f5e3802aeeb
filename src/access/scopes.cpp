#include "access/scopes.h"

#include <algorithm>

namespace trawl::access {
namespace {

// In the order of the levels; each level has the first so many.
constexpr http::AccessScope kOrder[] = {
    kPublic,         kDownloadsRead, kFilesRead, kMetadataRead, kStatsRead,  // read_only
    kDownloadsWrite, kFilesWrite,    kCookies,   kWebhooks,                  // download
    kKeys,           kSystemRead,    kEveryone,  kMetrics,                   // admin
    kSystemManage,                                                           // full_access
};

std::size_t count_of(Level level) {
  switch (level) {
    case Level::read_only:
      return 5;
    case Level::download:
      return 9;
    case Level::admin:
      return 13;
    case Level::full_access:
      return 14;
  }
  return 0;
}

}  // namespace

std::span<const http::AccessScope> scopes_of(Level level) {
  return std::span(kOrder).first(count_of(level));
}

bool grants(Level level, http::AccessScope scope) {
  return std::ranges::find(scopes_of(level), scope) != scopes_of(level).end();
}

bool may_hand_out(Level maker, Level made) {
  return grants(maker, kKeys) && made <= maker;
}

}  // namespace trawl::access
