#include "downloads/admission.h"

#include "net/egress_proxy.h"
#include "net/url.h"

namespace trawl::downloads {

Task<Result<void>> admit_url(const net::EgressPolicy& policy, std::string url) {
  const auto parsed = net::parse_url(url);
  if (!parsed) co_return fail(parsed.error());
  if (auto allowed = policy.judge_url(*parsed); !allowed) co_return fail(allowed.error());
  const auto addresses = co_await net::resolve_judged(policy, parsed->host);
  if (!addresses && addresses.error().code == Errc::forbidden) co_return fail(addresses.error());
  co_return Result<void>();
}

}  // namespace trawl::downloads
