#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace trawl::net {

// A proxy of the operator's between this machine and the origins.
struct Upstream {
  enum class Protocol { http, socks5 };
  Protocol protocol = Protocol::http;
  std::string host;
  std::uint16_t port = 0;
  std::string user, password;
  // The proxy resolves names: http and socks5h. Otherwise it gets judged addresses (socks5).
  bool remote_dns = false;

  // "socks5://proxy.example:1080", without credentials.
  [[nodiscard]] std::string name() const;
  friend bool operator==(const Upstream&, const Upstream&) = default;
};

// One line of the operator's list: an upstream, or the direct way, for all sites or for one.
struct Route {
  std::string site;  // A domain with its subdomains; empty: every site without lines of its own.
  std::shared_ptr<const Upstream> upstream;  // Null: straight to the origin.
};

// "http://user:password@proxy.example:3128", "socks5://...", "socks5h://...", "direct", each also as
// "example.com=...". Errc::invalid; the message does not repeat credentials.
[[nodiscard]] Result<Route> parse_route(std::string_view text);

// Chooses the way out for each site.
//
// A site keeps its way until the site has turned it away (403, 429) or the proxy failed: then that pair
// rests, and the next of the site's ways is taken. When all of them rest, the one that has rested longest.
class UpstreamPool {
 public:
  using Time = std::chrono::steady_clock::time_point;

  UpstreamPool(std::vector<Route> routes, std::chrono::seconds cool_down);

  // For everything a job fetches on behalf of a page on `site`: media addresses are often bound to the
  // client address that asked for the page. Null: no proxy.
  [[nodiscard]] std::shared_ptr<const Upstream> choose(std::string_view site, Time now);
  // Lets `used`, as choose() gave it for `site`, rest. Nothing happens when the site has no other way.
  void rest(std::string_view site, const std::shared_ptr<const Upstream>& used, Time now);

 private:
  struct Site {
    std::size_t current = 0;
    std::map<std::size_t, Time> resting;  // By route: until when.
    Time seen{};
  };

  [[nodiscard]] std::vector<std::size_t> routes_for(std::string_view site) const;
  [[nodiscard]] Site& remember(std::string_view site, const std::vector<std::size_t>& routes, Time now);
  void forget_some(Time now);

  std::vector<Route> routes_;
  std::chrono::seconds cool_down_;
  std::map<std::string, Site, std::less<>> sites_;
  std::size_t next_ = 0;  // New sites are spread over their ways.
};

}  // namespace trawl::net
