#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/result.h"

namespace trawl::net {

// Both ends included.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  [[nodiscard]] bool contains(std::uint16_t port) const { return first <= port && port <= last; }
  friend bool operator==(const PortRange&, const PortRange&) = default;
};

// "443" or "8000-8100". Errc::invalid.
[[nodiscard]] Result<PortRange> parse_port_range(std::string_view text);

// Addresses the operator opens although they are not public ones.
struct AddressException {
  boost::asio::ip::address network;
  unsigned prefix = 0;
  std::optional<PortRange> ports;  // These and only these; without: those that are open anyway.

  // Whether `address` is in the network.
  [[nodiscard]] bool contains(const boost::asio::ip::address& address) const;
  friend bool operator==(const AddressException&, const AddressException&) = default;
};

// "10.0.0.5", "10.0.0.0/8", "10.0.0.0/8:443", "10.0.0.0/8:8000-8100", "fd00::/8", "[fd00::/8]:443".
// Errc::invalid, also for bits set behind the prefix: such an entry opens something else than it seems to.
[[nodiscard]] Result<AddressException> parse_address_exception(std::string_view text);
[[nodiscard]] std::string to_string(const AddressException& exception);

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
  // Hosts that may not be submitted but serve what is on pages of allowed_domains, or of YouTube with
  // youtube_only. Counts only together with one of those.
  std::vector<std::string> media_domains{};
  // Never opens multicast, broadcast or unspecified addresses.
  std::vector<AddressException> allow_addresses{};
  // A range of several ports leaves out those of databases and other internal services; a single port is
  // open whatever usually listens there.
  std::vector<PortRange> allowed_ports{{80, 80}, {443, 443}, {1024, 65535}};
};

}  // namespace trawl::net
