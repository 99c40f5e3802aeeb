#include "net/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/run.h"

namespace trawl::net {
namespace {

using testing::Contains;
using testing::ElementsAre;

using Addresses = std::vector<asio::ip::address>;

Result<Addresses> resolve(EgressRules rules, std::string host, std::uint16_t port = 443) {
  asio::io_context context;
  const EgressPolicy policy(std::move(rules));
  return run_to_end(context, resolve_judged(policy, std::move(host), port));
}

TEST(Resolve, TakesAnAddressAsItIs) {
  EXPECT_THAT(resolve({}, "8.8.8.8").value(), ElementsAre(asio::ip::make_address("8.8.8.8")));
  EXPECT_THAT(resolve({}, "2606:4700::1").value(), ElementsAre(asio::ip::make_address("2606:4700::1")));
}

TEST(Resolve, JudgesAddresses) {
  EXPECT_EQ(resolve({}, "10.0.0.1").error().reason, "address_not_allowed");
  EXPECT_EQ(resolve({}, "::ffff:127.0.0.1").error().reason, "address_not_allowed");
}

TEST(Resolve, JudgesWhatANameResolvesTo) {
  const auto refused = resolve({}, "localhost");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::forbidden);
  EXPECT_EQ(refused.error().reason, "address_not_allowed");
  EXPECT_NE(refused.error().message.find("localhost"), std::string::npos);
}

TEST(Resolve, JudgesSpellingsOnlyTheResolverUnderstands) {
  EXPECT_EQ(resolve({}, "0x7f.1").error().reason, "address_not_allowed");
  EXPECT_EQ(resolve({}, "2130706433").error().reason, "address_not_allowed");
}

TEST(Resolve, JudgesTheAddressTogetherWithThePort) {
  const EgressRules rules{.allow_addresses = {parse_address_exception("127.0.0.0/8:8080").value(),
                                              parse_address_exception("[::1]:8080").value()}};
  EXPECT_TRUE(resolve(rules, "localhost", 8080));
  EXPECT_EQ(resolve(rules, "localhost", 8081).error().reason, "address_not_allowed");
}

TEST(Resolve, GivesEveryAddressOnce) {
  auto found = resolve({.allow_private_networks = true}, "localhost").value();
  EXPECT_THAT(found, Contains(asio::ip::make_address("127.0.0.1")));
  std::ranges::sort(found);
  EXPECT_EQ(std::ranges::adjacent_find(found), found.end());
}

TEST(Resolve, ReportsANameThatCannotExist) {
  const auto failed = resolve({}, "a..invalid");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::unavailable);
  EXPECT_EQ(failed.error().reason, "dns_failed");
}

}  // namespace
}  // namespace trawl::net
