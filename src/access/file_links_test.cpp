#include "access/file_links.h"

#include <gtest/gtest.h>

#include "http/message.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

class LinkSignerTest : public ::testing::Test {
 protected:
  std::string check(std::string query, std::string_view method = "GET", const LinkSigner* other = nullptr,
                    std::optional<ArtifactId> file = {}) {
    http::Request request;
    request.query = std::move(query);
    const auto checked = (other ? *other : signer)
                             .check([&](std::string_view name) { return request.query_param(name); },
                                    file.value_or(link.artifact), method, now);
    return checked ? "good" : checked.error().reason;
  }

  SystemTime now{1'800'000'000s};
  LinkSigner signer{"a secret of the server"};
  FileLink link{.id = "abcdefgh12345678",
                .artifact = ArtifactId::make(now),
                .key = "Ab12Cd34",
                .method = "GET",
                .expires_at = now + 60s};
};

TEST_F(LinkSignerTest, LetsItsOwnLinksThroughUntilTheyExpire) {
  const std::string query = signer.query(link);
  EXPECT_EQ(check(query), "good");
  EXPECT_EQ(check(query, "HEAD"), "good");
  EXPECT_EQ(check(query + "&inline=1"), "good");
  now += 59s;
  EXPECT_EQ(check(query), "good");
  now += 1s;
  EXPECT_EQ(check(query), "link_expired");
}

TEST_F(LinkSignerTest, RefusesEverythingElse) {
  const std::string query = signer.query(link);
  for (const char* method : {"DELETE", "PUT", "POST", "get"}) EXPECT_EQ(check(query, method), "link_invalid");
  EXPECT_EQ(check(query, "GET", nullptr, ArtifactId::make(now)), "link_invalid");
  const LinkSigner other("another secret");
  EXPECT_EQ(check(query, "GET", &other), "link_invalid");
  // Any change of any character.
  for (std::size_t i = 0; i < query.size(); ++i) {
    std::string changed = query;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_NE(check(changed), "good") << changed;
    EXPECT_NE(check(query.substr(0, i)), "good");
  }
  FileLink longer = link;
  longer.expires_at += 1h;
  const std::string stretched = signer.query(longer);
  EXPECT_EQ(check(stretched.substr(0, stretched.find("&signature")) + query.substr(query.find("&signature"))),
            "link_invalid");
  for (const char* nonsense :
       {"", "signature=", "link=a&key=b&expires=c&signature=d",
        "link=a&key=b&expires=99999999999999999999&signature=d", "link=%0A&key=%0A&expires=1&signature=d"})
    EXPECT_EQ(check(nonsense), "link_invalid");
}

TEST_F(LinkSignerTest, DoesNotLetPartsFlowIntoEachOther) {
  FileLink a = link, b = link;
  a.id = "x", a.key = "yz";
  b.id = "xy", b.key = "z";
  const std::string qa = signer.query(a), qb = signer.query(b);
  EXPECT_NE(qa.substr(qa.find("signature")), qb.substr(qb.find("signature")));
}

}  // namespace
}  // namespace trawl::access
