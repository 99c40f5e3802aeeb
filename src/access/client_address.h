#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "access/mode.h"
#include "base/result.h"
#include "http/message.h"

namespace trawl::access {

// Proxies whose word about the client's address is taken.
struct TrustedProxies {
  std::vector<boost::asio::ip::network_v4> v4;
  std::vector<boost::asio::ip::network_v6> v6;

  [[nodiscard]] bool contains(const boost::asio::ip::address& address) const;
};

// Reads "10.0.0.0/8", "192.0.2.7", "fd00::/8", "::1".
[[nodiscard]] Result<TrustedProxies> parse_proxies(const std::vector<std::string>& texts);

// The address of the client that sent `request`: the peer, unless that is a trusted proxy; then the last
// address in the field that is not of one. What stands further left was written by the client itself.
// A field that cannot be read leaves it at the last address that could.
[[nodiscard]] std::string client_address(const http::Request& request, const TrustedProxies& trusted,
                                         ProxyField field);

// What limits are counted by: the address, but the /64 of an IPv6 one, which one customer has as a whole.
[[nodiscard]] std::string address_group(std::string_view address);

}  // namespace trawl::access
