#include "transfer/detail/proxy_route.h"

#include <charconv>

#include <fmt/format.h>

#include "base/sha256.h"

namespace trawl::transfer::detail {

std::optional<ProxyRoute> proxy_route(std::string_view pass_url) {
  constexpr std::string_view kScheme = "http://";
  constexpr std::string_view kPlace = "@127.0.0.1:";
  const auto at = pass_url.find(kPlace);
  if (!pass_url.starts_with(kScheme) || at == std::string_view::npos) return std::nullopt;
  ProxyRoute out;
  const auto port = pass_url.substr(at + kPlace.size());
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  const auto name = fmt::format("job-{}.invalid", sha256_hex(pass_url).substr(0, 32));
  out.url = fmt::format("http://{}:{}", name, port);
  out.credentials = pass_url.substr(kScheme.size(), at - kScheme.size());
  out.resolve_entry = fmt::format("+{}:{}:127.0.0.1", name, port);
  return out;
}

}  // namespace trawl::transfer::detail
