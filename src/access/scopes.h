#pragma once

#include <span>
#include <string_view>

#include "base/describe.h"
#include "http/router.h"

namespace trawl::access {

// The rights a route can ask for. `public` needs no key; every other one is part of some level.
inline constexpr http::AccessScope kPublic{"public"};
inline constexpr http::AccessScope kDownloadsRead{"downloads:read"};
inline constexpr http::AccessScope kDownloadsWrite{"downloads:write"};
inline constexpr http::AccessScope kFilesRead{"files:read"};
inline constexpr http::AccessScope kFilesWrite{
    "files:write"};  // Delete, upload, and make links others can use.
inline constexpr http::AccessScope kMetadataRead{
    "metadata:read"};  // Formats, metadata, previews: asks a site.
inline constexpr http::AccessScope kCookies{"cookies:manage"};
inline constexpr http::AccessScope kWebhooks{"webhooks:manage"};
inline constexpr http::AccessScope kStatsRead{"stats:read"};  // Statistics, analytics.
inline constexpr http::AccessScope kMetrics{"metrics:read"};  // Figures of the whole process.
inline constexpr http::AccessScope kKeys{"keys:manage"};
inline constexpr http::AccessScope kSystemRead{"system:read"};
inline constexpr http::AccessScope kSystemManage{"system:manage"};  // Clean-up, dead letters, configuration.
inline constexpr http::AccessScope kEveryone{
    "everyone"};  // What belongs to other keys exists for this caller.

// What a key may do, as a set of scopes. Each level has what the one before it has, and more.
enum class Level { read_only, download, admin, full_access };

[[nodiscard]] std::span<const http::AccessScope> scopes_of(Level level);
[[nodiscard]] bool grants(Level level, http::AccessScope scope);

// Whether a key of level `maker` may make, change or revoke one of level `made`: nobody hands out more than
// they have.
[[nodiscard]] bool may_hand_out(Level maker, Level made);

}  // namespace trawl::access

template <>
struct trawl::EnumText<trawl::access::Level> {
  using L = trawl::access::Level;
  static constexpr std::pair<L, std::string_view> names[] = {{L::read_only, "read_only"},
                                                             {L::download, "download"},
                                                             {L::admin, "admin"},
                                                             {L::full_access, "full_access"}};
};
