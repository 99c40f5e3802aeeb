#include "net/egress_rules.h"

#include <gtest/gtest.h>

namespace trawl::net {
namespace {

TEST(EgressRules, ReadsExceptionsAndPrintsThemTheSame) {
  for (const auto* text : {"10.0.0.0/8", "10.0.0.0/8:443", "198.18.0.0/15:8000-8100", "0.0.0.0/0", "fd00::/8",
                           "[fd00::/8]:443", "10.0.0.5/32", "[::1/128]:1-65535"}) {
    const auto read = parse_address_exception(text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(to_string(*read), text);
  }
  EXPECT_EQ(to_string(parse_address_exception("10.0.0.5").value()), "10.0.0.5/32");
  EXPECT_EQ(to_string(parse_address_exception("[fd00::5]").value()), "fd00::5/128");
}

TEST(EgressRules, RefusesWhatOpensSomethingElseThanItSeemsTo) {
  for (const auto* text :
       {"", "example.com", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.5/8", "10.0.0/8",
        "10.0.0.0/8:", "10.0.0.0/8:0", "10.0.0.0/8:70000", "10.0.0.0/8:9-8", "10.0.0.0/8:443,80", "[fd00::/8",
        "[fd00::/8]443", "fd00::1/8", "fe80::1%eth0", "fd00::/129", "*", "10.0.0.0/8 "}) {
    const auto read = parse_address_exception(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::invalid) << text;
  }
}

TEST(EgressRules, KnowsWhatAnExceptionContains) {
  const auto contains = [](const char* network, const char* address) {
    return parse_address_exception(network).value().contains(boost::asio::ip::make_address(address));
  };
  EXPECT_TRUE(contains("198.18.0.0/15", "198.19.255.255"));
  EXPECT_FALSE(contains("198.18.0.0/15", "198.20.0.0"));
  EXPECT_FALSE(contains("198.18.0.0/15", "198.17.255.255"));
  EXPECT_TRUE(contains("0.0.0.0/0", "255.255.255.255"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("fd00::/9", "fd7f::1"));
  EXPECT_FALSE(contains("fd00::/9", "fd80::1"));
}

TEST(EgressRules, ReadsPorts) {
  EXPECT_EQ(parse_port_range("443").value(), (PortRange{443, 443}));
  EXPECT_EQ(parse_port_range("1024-65535").value(), (PortRange{1024, 65535}));
  for (const auto* text : {"", "0", "65536", "-1", "5-", "-", "7-5", "x", "80 ", "80-90-100"})
    EXPECT_FALSE(parse_port_range(text)) << text;
}

}  // namespace
}  // namespace trawl::net
