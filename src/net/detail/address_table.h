#pragma once

#include <optional>
#include <string_view>

#include <boost/asio/ip/address.hpp>

namespace trawl::net::detail {

// What can open a range: nothing, an exception that names it, or also `allow_private_networks`.
enum class Opening { never, by_exception, for_private_networks };

// Addresses that are not ordinary hosts of the public Internet.
struct SpecialRange {
  std::string_view name;  // "loopback", for messages.
  Opening opening = Opening::by_exception;
};

// The range `address` falls into, most specific first; nullptr for a public unicast address.
// Of an IPv6 address that carries an IPv4 address both halves count: the range of the outer
// address if it has one, else that of the inner one.
[[nodiscard]] const SpecialRange* find_special_range(const boost::asio::ip::address& address);

// The IPv4 address that a NAT64 or ISATAP address carries: where a connection to it ends up.
[[nodiscard]] std::optional<boost::asio::ip::address> find_carried(const boost::asio::ip::address& address);

}  // namespace trawl::net::detail
