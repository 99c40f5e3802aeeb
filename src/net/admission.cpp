#include "net/admission.h"

#include "base/text.h"
#include "net/resolve.h"
#include "net/url.h"

namespace trawl::net {

Task<Result<void>> admit_url(const EgressPolicy& policy, std::string url) {
  const auto parsed = parse_url(url);
  if (!parsed) co_return fail(parsed.error());
  // yt-dlp takes instructions from such a fragment, among them headers and proxies.
  if (percent_decode(url).contains("__youtubedl_smuggle"))
    co_return fail(Errc::invalid, "the URL carries instructions for yt-dlp", "invalid_url");
  if (auto allowed = policy.judge_url(*parsed); !allowed) co_return fail(allowed.error());
  const auto addresses = co_await resolve_judged(policy, parsed->host, parsed->port);
  if (!addresses && addresses.error().code == Errc::forbidden) co_return fail(addresses.error());
  co_return Result<void>();
}

std::string site_of(std::string_view text) {
  const auto url = parse_url(text);
  return url ? url->host : "";
}

std::uint64_t proxy_allowance(std::int64_t max_bytes) {
  constexpr std::uint64_t kRoom = 256 << 20;
  return max_bytes > 0 ? 2 * static_cast<std::uint64_t>(max_bytes) + kRoom : 0;
}

}  // namespace trawl::net
