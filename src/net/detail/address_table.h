#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace trawl::net::detail {

// Whether `allow_private_networks` opens a range.
enum class Opening { never, for_private_networks };

// Addresses that are not ordinary hosts of the public Internet.
struct SpecialRange {
  std::string_view name;  // "loopback", for messages.
  Opening opening = Opening::never;
};

// The range `address` falls into, most specific first; nullptr for a public unicast address.
// Of an IPv6 address that carries an IPv4 address both halves count: the range of the outer
// address if it has one, else that of the inner one.
[[nodiscard]] const SpecialRange* find_special_range(const boost::asio::ip::address& address);

}  // namespace trawl::net::detail
