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
  bool allow_private_networks = false;       // Opens loopback, private and link-local ranges.
  std::vector<std::string> allowed_domains;  // Empty: all. "example.com" covers its subdomains.
  std::vector<std::string> denied_domains;
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
  explicit EgressPolicy(EgressRules rules) : rules_(std::move(rules)) {}

  // Scheme, port and domain lists. Errc::forbidden, reason "domain_not_allowed" or "port_not_allowed".
  [[nodiscard]] Result<void> judge_url(const Url& url) const;
  // Errc::forbidden, reason "address_not_allowed".
  [[nodiscard]] Result<void> judge_address(const boost::asio::ip::address& address) const;

 private:
  EgressRules rules_;
};

}  // namespace trawl::net
