#include "net/upstream.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "net/url.h"

namespace trawl::net {
namespace {

constexpr std::size_t kMaxSites = 4096;
constexpr std::size_t kMaxCredential = 255;  // RFC 1929.

std::unexpected<Error> invalid(std::string why) {
  return fail(Errc::invalid, std::move(why), "invalid_proxy");
}

struct Scheme {
  std::string_view text;
  Upstream::Protocol protocol;
  bool remote_dns;
  std::uint16_t port;
};
constexpr Scheme kSchemes[] = {{"http", Upstream::Protocol::http, true, 8080},
                               {"socks5", Upstream::Protocol::socks5, false, 1080},
                               {"socks5h", Upstream::Protocol::socks5, true, 1080}};

Result<void> read_credentials(std::string_view text, Upstream& upstream) {
  const auto colon = text.find(':');
  upstream.user = percent_decode(text.substr(0, colon));
  if (colon != std::string_view::npos) upstream.password = percent_decode(text.substr(colon + 1));
  const bool fits = upstream.user.size() <= kMaxCredential && upstream.password.size() <= kMaxCredential;
  if (fits && !upstream.user.empty()) return {};
  return invalid("the user name of a proxy must have 1 to 255 bytes, its password at most 255");
}

Result<Upstream> parse_upstream(std::string_view text) {
  const auto end = text.find("://");
  const auto scheme = std::ranges::find(kSchemes, text.substr(0, end), &Scheme::text);
  if (end == std::string_view::npos || scheme == std::end(kSchemes))
    return invalid("a proxy must begin with http://, socks5:// or socks5h://, or be the word direct");
  Upstream out{.protocol = scheme->protocol, .remote_dns = scheme->remote_dns};
  auto rest = text.substr(end + 3);
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    if (auto read = read_credentials(rest.substr(0, at), out); !read) return fail(read.error());
    rest.remove_prefix(at + 1);
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const auto authority = parse_authority(rest);
  if (!authority) return invalid("the host of a proxy is not valid: " + authority.error().message);
  out.host = authority->host;
  out.port = authority->port.value_or(scheme->port);
  return out;
}

bool covers(std::string_view site, std::string_view host) {
  if (site.empty() || site == host) return true;
  return host.ends_with(site) && host[host.size() - site.size() - 1] == '.';
}

}  // namespace

std::string Upstream::name() const {
  const std::string_view scheme = protocol == Protocol::http ? "http" : remote_dns ? "socks5h" : "socks5";
  return fmt::format(fmt::runtime(host.contains(':') ? "{}://[{}]:{}" : "{}://{}:{}"), scheme, host, port);
}

Result<Route> parse_route(std::string_view text) {
  Route out;
  // A site has no slash; what has one before the first "=" is a URL with that sign in its password.
  if (const auto equals = text.find('=');
      equals < text.find('/') || (equals != text.npos && !text.contains('/'))) {
    auto site = trim(text.substr(0, equals));
    if (site.starts_with("*.")) site.remove_prefix(2);
    const auto host = parse_host(site);
    if (!host) return invalid("the site of a proxy is not valid: " + host.error().message);
    out.site = *host;
    text.remove_prefix(equals + 1);
  }
  text = trim(text);
  if (text == "direct") return out;
  auto upstream = parse_upstream(text);
  if (!upstream) return fail(upstream.error());
  out.upstream = std::make_shared<const Upstream>(std::move(*upstream));
  return out;
}

UpstreamPool::UpstreamPool(std::vector<Route> routes, std::chrono::seconds cool_down)
    : routes_(std::move(routes)), cool_down_(cool_down) {}

// The lines with the longest matching site.
std::vector<std::size_t> UpstreamPool::routes_for(std::string_view site) const {
  std::vector<std::size_t> out;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const auto& of = routes_[i].site;
    if (!covers(of, site) || of.size() < longest) continue;
    if (of.size() > longest) out.clear();
    longest = of.size();
    out.push_back(i);
  }
  return out;
}

UpstreamPool::Site& UpstreamPool::remember(std::string_view site, const std::vector<std::size_t>& routes,
                                           Time now) {
  auto found = sites_.find(site);
  if (found == sites_.end()) {
    forget_some(now);
    found = sites_.emplace(std::string(site), Site{.current = routes[next_++ % routes.size()]}).first;
  }
  found->second.seen = now;
  std::erase_if(found->second.resting, [&](const auto& entry) { return entry.second <= now; });
  return found->second;
}

void UpstreamPool::forget_some(Time now) {
  if (sites_.size() < kMaxSites) return;
  const auto idle = [&](const auto& entry) { return entry.second.seen + cool_down_ < now; };
  std::erase_if(sites_, idle);
  if (sites_.size() >= kMaxSites) sites_.clear();
}

std::shared_ptr<const Upstream> UpstreamPool::choose(std::string_view site, Time now) {
  const auto routes = routes_for(site);
  if (routes.empty()) return nullptr;
  Site& state = remember(site, routes, now);
  if (state.resting.contains(state.current)) {
    const auto rests_until = [&](std::size_t route) {
      const auto found = state.resting.find(route);
      return found == state.resting.end() ? Time::min() : found->second;
    };
    // Those after the current one first, so that the ways take turns.
    auto order = routes;
    const auto after = std::ranges::upper_bound(order, state.current);
    std::ranges::rotate(order, after);
    state.current = *std::ranges::min_element(order, {}, rests_until);
  }
  return routes_[state.current].upstream;
}

void UpstreamPool::rest(std::string_view site, const std::shared_ptr<const Upstream>& used, Time now) {
  const auto routes = routes_for(site);
  if (routes.size() < 2) return;
  Site& state = remember(site, routes, now);
  for (const std::size_t route : routes) {
    if (routes_[route].upstream == used) state.resting[route] = now + cool_down_;
  }
}

}  // namespace trawl::net
