#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/result.h"
#include "net/url.h"

namespace trawl::net {

struct EgressRules {
  // Opens loopback, private, link-local, carrier-grade NAT, unique local and benchmarking ranges,
  // and every port. Never multicast, broadcast, unspecified or reserved addresses.
  bool allow_private_networks = false;
  // "example.com", ".example.com" and "*.example.com" all mean that name and its subdomains, "*"
  // means every name; empty entries mean nothing. An empty list allows all.
  std::vector<std::string> allowed_domains{};
  std::vector<std::string> denied_domains{};
  bool allow_youtube = true;
  bool youtube_only = false;
};

// Says where connections may go. Pure: no DNS, no sockets.
//
// Domains are matched on label borders. Addresses are judged by an own table (the IANA special
// purpose registries for IPv4 and IPv6, both halves of every IPv4-in-IPv6 form), because libraries'
// notions of "public" let several internal forms through.
class EgressPolicy {
 public:
  explicit EgressPolicy(EgressRules rules);

  // For a page somebody asks to download: scheme, port, domain lists, and the address if the host
  // is one. Errc::forbidden, reason "scheme_not_allowed", "domain_not_allowed", "port_not_allowed"
  // or "address_not_allowed".
  [[nodiscard]] Result<void> judge_url(const Url& url) const;

  // For a connection made on behalf of an admitted page, whose media live on hosts of other names:
  // port and denied names count, the list of allowed ones does not. `host` as parse_host gives it.
  [[nodiscard]] Result<void> judge_connection(std::string_view host, std::uint16_t port) const;

  // 80, 443 and 1024 to 65535 without the ports of databases and other internal services.
  // Errc::forbidden, reason "port_not_allowed".
  [[nodiscard]] Result<void> judge_port(std::uint16_t port) const;

  // Errc::forbidden, reason "address_not_allowed".
  [[nodiscard]] Result<void> judge_address(const boost::asio::ip::address& address) const;

  [[nodiscard]] const EgressRules& rules() const { return rules_; }

 private:
  [[nodiscard]] Result<void> judge_denied_names(std::string_view host) const;

  EgressRules rules_;  // Domains in the form parse_host gives, without leading dots.
};

}  // namespace trawl::net
