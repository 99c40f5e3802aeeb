#include "net/detail/address_table.h"

#include <algorithm>
#include <cstdint>

#include <boost/endian/conversion.hpp>

namespace trawl::net::detail {
namespace {

using asio_v6 = boost::asio::ip::address_v6;

struct V4Row {
  std::uint32_t network;
  unsigned prefix;
  SpecialRange range;
};

struct V6Row {
  std::uint64_t high;
  std::uint64_t low;
  unsigned prefix;
  SpecialRange range;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr auto kPrivate = Opening::for_private_networks;
constexpr auto kNever = Opening::never;

// IANA IPv4 Special-Purpose Address Registry and RFC 5771 multicast. 192.0.0.0/24 is refused as a
// whole, with the few anycast addresses in it that the registry calls globally reachable. The
// benchmarking range opens with the private ones because VPN clients use it for made-up answers.
constexpr V4Row kV4[] = {
    {v4(0, 0, 0, 0), 8, {"\"this network\"", kNever}},
    {v4(10, 0, 0, 0), 8, {"private", kPrivate}},
    {v4(100, 64, 0, 0), 10, {"carrier-grade NAT", kPrivate}},
    {v4(127, 0, 0, 0), 8, {"loopback", kPrivate}},
    {v4(169, 254, 0, 0), 16, {"link-local", kPrivate}},
    {v4(172, 16, 0, 0), 12, {"private", kPrivate}},
    {v4(192, 0, 0, 0), 24, {"protocol assignment"}},
    {v4(192, 0, 2, 0), 24, {"documentation"}},
    {v4(192, 31, 196, 0), 24, {"AS112"}},
    {v4(192, 52, 193, 0), 24, {"AMT"}},
    {v4(192, 88, 99, 0), 24, {"6to4 relay"}},
    {v4(192, 168, 0, 0), 16, {"private", kPrivate}},
    {v4(192, 175, 48, 0), 24, {"AS112"}},
    {v4(198, 18, 0, 0), 15, {"benchmarking", kPrivate}},
    {v4(198, 51, 100, 0), 24, {"documentation"}},
    {v4(203, 0, 113, 0), 24, {"documentation"}},
    {v4(224, 0, 0, 0), 4, {"multicast", kNever}},
    {v4(255, 255, 255, 255), 32, {"broadcast", kNever}},
    {v4(240, 0, 0, 0), 4, {"reserved"}},
};

// IANA IPv6 Special-Purpose Address Registry, RFC 4291 and the transition mechanisms. Of these only
// NAT64's well-known prefix is missing: the registry calls it global, and on an IPv6-only network
// with DNS64 every IPv4 site has such an address, so it is judged by the address it carries.
// The other embeddings are refused whatever they carry, and nothing opens them: an exception for the
// IPv4 address itself does.
constexpr V6Row kV6[] = {
    {0, 0, 128, {"unspecified", kNever}},
    {0, 1, 128, {"loopback", kPrivate}},
    {0, 0, 96, {"IPv4-compatible", kNever}},
    {0, 0x0000'ffff'0000'0000, 96, {"IPv4-mapped", kNever}},
    {0, 0xffff'0000'0000'0000, 96, {"IPv4-translated", kNever}},
    {0x0064'ff9b'0001'0000, 0, 48, {"local NAT64", kNever}},
    {0x0100'0000'0000'0000, 0, 64, {"discard-only"}},
    {0x0100'0000'0000'0001, 0, 64, {"dummy prefix"}},
    {0x2001'0000'0000'0000, 0, 32, {"Teredo", kNever}},
    {0x2001'0000'0000'0000, 0, 23, {"protocol assignment"}},
    {0x2001'0db8'0000'0000, 0, 32, {"documentation"}},
    {0x2002'0000'0000'0000, 0, 16, {"6to4", kNever}},
    {0x2620'004f'8000'0000, 0, 48, {"AS112"}},
    {0x3fff'0000'0000'0000, 0, 20, {"documentation"}},
    {0x5f00'0000'0000'0000, 0, 16, {"segment routing"}},
    {0xfc00'0000'0000'0000, 0, 7, {"unique local", kPrivate}},
    {0xfe80'0000'0000'0000, 0, 10, {"link-local", kPrivate}},
    {0xfec0'0000'0000'0000, 0, 10, {"site-local"}},
    {0xff00'0000'0000'0000, 0, 8, {"multicast", kNever}},
};

// RFC 4291: global unicast is 2000::/3; all the rest without a row of its own is reserved.
constexpr SpecialRange kUnassigned{"reserved"};
constexpr std::uint64_t kNat64High = 0x0064'ff9b'0000'0000;

constexpr std::uint64_t leading_ones(unsigned count) {
  return count == 0 ? 0 : ~std::uint64_t{0} << (64 - count);
}

const SpecialRange* find(std::uint32_t address) {
  for (const V4Row& row : kV4) {
    if (((address ^ row.network) >> (32 - row.prefix)) == 0) return &row.range;
  }
  return nullptr;
}

const SpecialRange* find(std::uint64_t high, std::uint64_t low) {
  for (const V6Row& row : kV6) {
    const auto high_mask = leading_ones(std::min(row.prefix, 64U));
    const auto low_mask = leading_ones(row.prefix > 64 ? row.prefix - 64 : 0);
    if (((high ^ row.high) & high_mask) == 0 && ((low ^ row.low) & low_mask) == 0) return &row.range;
  }
  return nullptr;
}

// The IPv4 address in a NAT64 (RFC 6052) or ISATAP (RFC 5214) address.
std::optional<std::uint32_t> carried_v4(std::uint64_t high, std::uint64_t low) {
  const auto upper = static_cast<std::uint32_t>(low >> 32);
  const bool nat64 = high == kNat64High && upper == 0;
  const bool isatap = (upper & 0xfcff'ffff) == 0x0000'5efe;  // Whatever its u and g bits are.
  if (nat64 || isatap) return static_cast<std::uint32_t>(low);
  return std::nullopt;
}

struct Halves {
  std::uint64_t high, low;
};

Halves halves(const asio_v6& address) {
  const auto bytes = address.to_bytes();
  return {boost::endian::load_big_u64(bytes.data()), boost::endian::load_big_u64(bytes.data() + 8)};
}

const SpecialRange* find(const asio_v6& address) {
  const auto [high, low] = halves(address);
  if (const auto* outer = find(high, low)) return outer;
  const bool nat64 = high == kNat64High && low >> 32 == 0;
  if (high >> 61 != 1 && !nat64) return &kUnassigned;
  const auto inner = carried_v4(high, low);
  return inner ? find(*inner) : nullptr;
}

}  // namespace

const SpecialRange* find_special_range(const boost::asio::ip::address& address) {
  return address.is_v4() ? find(address.to_v4().to_uint()) : find(address.to_v6());
}

std::optional<boost::asio::ip::address> find_carried(const boost::asio::ip::address& address) {
  if (address.is_v4()) return std::nullopt;
  const auto [high, low] = halves(address.to_v6());
  const auto inner = carried_v4(high, low);
  if (!inner) return std::nullopt;
  return boost::asio::ip::address_v4(*inner);
}

}  // namespace trawl::net::detail
