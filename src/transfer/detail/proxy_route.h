#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trawl::transfer::detail {

// The way through a net::EgressProxy in the form curl takes.
//
// curl shares tunnels between requests whose proxies have one name, whatever their credentials are. Here
// the credentials are the job, so every job's proxy gets a name of its own, which leads to loopback.
struct ProxyRoute {
  std::string url;            // CURLOPT_PROXY
  std::string credentials;    // CURLOPT_PROXYUSERPWD
  std::string resolve_entry;  // For CURLOPT_RESOLVE.
  std::uint16_t port = 0;     // On 127.0.0.1.
};

// For "http://TOKEN:x@127.0.0.1:PORT", as EgressProxy::Pass::proxy_url() gives it; nothing otherwise.
[[nodiscard]] std::optional<ProxyRoute> proxy_route(std::string_view pass_url);

}  // namespace trawl::transfer::detail
