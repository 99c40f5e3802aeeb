#include "net/detail/address_table.h"

#include <array>
#include <charconv>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "net/egress.h"

namespace trawl::net {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;
using boost::asio::ip::make_address;
using boost::asio::ip::make_address_v4;
using boost::asio::ip::make_address_v6;

// Written down from the registries as first and last address, so that it shares neither data nor
// arithmetic with the table under test.
struct Range {
  std::string_view first;
  std::string_view last;
  bool opens = false;  // With allow_private_networks.
};

constexpr Range kV4Ranges[] = {
    {"0.0.0.0", "0.255.255.255"},
    {"10.0.0.0", "10.255.255.255", true},
    {"100.64.0.0", "100.127.255.255", true},
    {"127.0.0.0", "127.255.255.255", true},
    {"169.254.0.0", "169.254.255.255", true},
    {"172.16.0.0", "172.31.255.255", true},
    {"192.0.0.0", "192.0.0.255"},
    {"192.0.2.0", "192.0.2.255"},
    {"192.31.196.0", "192.31.196.255"},
    {"192.52.193.0", "192.52.193.255"},
    {"192.88.99.0", "192.88.99.255"},
    {"192.168.0.0", "192.168.255.255", true},
    {"192.175.48.0", "192.175.48.255"},
    {"198.18.0.0", "198.19.255.255", true},
    {"198.51.100.0", "198.51.100.255"},
    {"203.0.113.0", "203.0.113.255"},
    {"224.0.0.0", "239.255.255.255"},
    {"240.0.0.0", "255.255.255.255"},
};

constexpr Range kV6Ranges[] = {
    {"::", "::"},
    {"::1", "::1", true},
    {"::2", "::ffff:ffff"},
    {"::ffff:0:0", "::ffff:ffff:ffff"},
    {"::ffff:0:0:0", "::ffff:0:ffff:ffff"},
    {"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"},
    {"100::", "100::ffff:ffff:ffff:ffff"},
    {"100:0:0:1::", "100::1:ffff:ffff:ffff:ffff"},
    {"2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"},
    {"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
    {"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
    {"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    {"ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
};

enum class Verdict { open, private_only, closed };

template <class Address>
Verdict expected(const Address& a, std::span<const Range> ranges) {
  for (const Range& range : ranges) {
    Address first, last;
    if constexpr (std::is_same_v<Address, address_v4>) {
      first = make_address_v4(range.first), last = make_address_v4(range.last);
    } else {
      first = make_address_v6(range.first), last = make_address_v6(range.last);
    }
    if (first <= a && a <= last) return range.opens ? Verdict::private_only : Verdict::closed;
  }
  return Verdict::open;
}

Verdict expected_v4(const address_v4& a) {
  return expected(a, kV4Ranges);
}

// Outside the ranges above, global unicast is 2000::/3 and the well-known NAT64 prefix.
Verdict expected_v6(const address_v6& a) {
  const auto verdict = expected(a, kV6Ranges);
  const bool global =
      make_address_v6("2000::") <= a && a <= make_address_v6("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  const bool nat64 = make_address_v6("64:ff9b::") <= a && a <= make_address_v6("64:ff9b::ffff:ffff");
  if (verdict != Verdict::open) return verdict;
  if (nat64)
    return expected_v4(address_v4(static_cast<std::uint32_t>(a.to_bytes()[12]) << 24 |
                                  static_cast<std::uint32_t>(a.to_bytes()[13]) << 16 |
                                  static_cast<std::uint32_t>(a.to_bytes()[14]) << 8 | a.to_bytes()[15]));
  return global ? Verdict::open : Verdict::closed;
}

class AddressTable : public testing::Test {
 protected:
  ~AddressTable() override { RecordProperty("rows", rows_); }

  void check(const address& a, Verdict verdict) {
    ++rows_;
    EXPECT_EQ(by_default_.judge_address(a, 443).has_value(), verdict == Verdict::open) << a;
    EXPECT_EQ(opened_.judge_address(a, 443).has_value(), verdict != Verdict::closed)
        << a << " with private networks";
  }

  EgressPolicy by_default_{EgressRules{}};
  EgressPolicy opened_{EgressRules{.allow_private_networks = true}};
  int rows_ = 0;
};

address_v4 moved(address_v4 a, int by) {
  return address_v4(a.to_uint() + static_cast<std::uint32_t>(by));
}

address_v6 moved(const address_v6& a, int by) {
  auto bytes = a.to_bytes();
  for (std::size_t i = bytes.size(); i-- > 0;) {
    bytes[i] = static_cast<std::uint8_t>(bytes[i] + by);
    if (bytes[i] != (by > 0 ? 0x00 : 0xff)) break;
  }
  return address_v6(bytes);
}

// The edges of every range from both sides, and something in the middle of each gap.
std::vector<address_v4> v4_edges() {
  std::vector<address_v4> out;
  for (const Range& range : kV4Ranges) {
    const auto first = make_address_v4(range.first);
    const auto last = make_address_v4(range.last);
    out.insert(out.end(), {first, last, moved(first, -1), moved(last, 1)});
  }
  for (const auto* text :
       {"1.1.1.1", "8.8.8.8", "93.184.216.34", "151.101.1.69", "193.0.0.1", "223.255.255.255"}) {
    out.push_back(make_address_v4(text));
  }
  return out;
}

address_v6 embed(std::string_view prefix, std::size_t at, const address_v4& v4, std::uint8_t flip = 0) {
  auto bytes = make_address_v6(prefix).to_bytes();
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = v4.to_bytes()[i] ^ flip;
  return address_v6(bytes);
}

TEST_F(AddressTable, AgreesWithTheRegistriesAtTheEdgesOfEveryIpv4Range) {
  for (const auto& a : v4_edges()) check(a, expected_v4(a));
  EXPECT_GE(rows_, 78);
}

TEST_F(AddressTable, AgreesWithTheRegistriesAtTheEdgesOfEveryIpv6Range) {
  for (const Range& range : kV6Ranges) {
    const auto first = make_address_v6(range.first);
    const auto last = make_address_v6(range.last);
    for (const auto& a : {first, last, moved(first, -1), moved(last, 1)}) check(a, expected_v6(a));
  }
  for (const auto* text : {"2606:4700:4700::1111", "2a00:1450:4001::1", "2000::1", "2001:200::1", "4000::1",
                           "1::1", "200::1", "f000::1", "64:ff9b:0:1::1", "64:ff9b:2::1", "64:ff9b::1:0:0"}) {
    check(make_address(text), expected_v6(make_address_v6(text)));
  }
  EXPECT_GE(rows_, 83);
}

TEST_F(AddressTable, JudgesBothHalvesOfEveryIpv4AddressInsideAnIpv6One) {
  for (const auto& v4 : v4_edges()) {
    // What counts as public itself is judged by what it carries.
    check(embed("64:ff9b::", 12, v4), expected_v4(v4));
    check(embed("2606:4700::5efe:0:0", 12, v4), expected_v4(v4));
    check(embed("2606:4700::200:5efe:0:0", 12, v4), expected_v4(v4));
    // The rest is closed, whatever it carries.
    check(embed("::ffff:0:0:0", 12, v4), Verdict::closed);
    check(embed("::ffff:0:0", 12, v4), Verdict::closed);
    check(embed("64:ff9b:1::", 12, v4), Verdict::closed);
    check(embed("2002::1", 2, v4), Verdict::closed);
    check(embed("2001:0:808:808:0:f7f7:f7f7:f7f7", 4, v4), Verdict::closed);
    check(embed("2001:0:808:808::", 12, v4, 0xff), Verdict::closed);
    check(embed("::", 12, v4), v4.to_uint() == 1 ? Verdict::private_only : Verdict::closed);
  }
  EXPECT_GE(rows_, 780);
}

struct Named {
  std::string_view address;
  std::string_view name;
};

class AddressTableRow : public testing::TestWithParam<Named> {};

// One address per row of the table that no other row gives this name.
TEST_P(AddressTableRow, IsNeeded) {
  const auto* range = detail::find_special_range(make_address(GetParam().address));
  ASSERT_NE(range, nullptr);
  EXPECT_EQ(range->name, GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(
    Ipv4, AddressTableRow,
    testing::Values(Named{"0.1.2.3", "\"this network\""}, Named{"10.1.2.3", "private"},
                    Named{"100.100.0.1", "carrier-grade NAT"}, Named{"127.9.9.9", "loopback"},
                    Named{"169.254.169.254", "link-local"}, Named{"172.20.0.1", "private"},
                    Named{"192.0.0.9", "protocol assignment"}, Named{"192.0.2.1", "documentation"},
                    Named{"192.31.196.1", "AS112"}, Named{"192.52.193.1", "AMT"},
                    Named{"192.88.99.1", "6to4 relay"}, Named{"192.168.1.1", "private"},
                    Named{"192.175.48.1", "AS112"}, Named{"198.19.0.1", "benchmarking"},
                    Named{"198.51.100.1", "documentation"}, Named{"203.0.113.1", "documentation"},
                    Named{"224.0.0.251", "multicast"}, Named{"255.255.255.255", "broadcast"},
                    Named{"250.0.0.1", "reserved"}));
INSTANTIATE_TEST_SUITE_P(
    Ipv6, AddressTableRow,
    testing::Values(
        Named{"::", "unspecified"}, Named{"::1", "loopback"}, Named{"::7f00:1", "IPv4-compatible"},
        Named{"::ffff:7f00:1", "IPv4-mapped"}, Named{"::ffff:0:7f00:1", "IPv4-translated"},
        Named{"64:ff9b:1::1", "local NAT64"}, Named{"100::1", "discard-only"},
        Named{"100:0:0:1::1", "dummy prefix"}, Named{"2001:0:1::1", "Teredo"},
        Named{"2001:20::1", "protocol assignment"}, Named{"2001:db8::1", "documentation"},
        Named{"2002:7f00:1::", "6to4"}, Named{"2620:4f:8000::1", "AS112"}, Named{"3fff::1", "documentation"},
        Named{"5f00::1", "segment routing"}, Named{"fd00::1", "unique local"}, Named{"fe80::1", "link-local"},
        Named{"fec0::1", "site-local"}, Named{"ff02::1", "multicast"}, Named{"4000::1", "reserved"},
        Named{"64:ff9b::7f00:1", "loopback"}, Named{"2a00::5efe:a00:1", "private"},
        Named{"2a00::200:5efe:a9fe:a9fe", "link-local"}, Named{"2a00::300:5efe:a9fe:a9fe", "link-local"}));

}  // namespace
}  // namespace trawl::net
