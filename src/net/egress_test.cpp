#include "net/egress.h"

#include <gtest/gtest.h>

namespace trawl::net {
namespace {

std::string verdict(const EgressPolicy& policy, std::string_view text) {
  const auto url = parse_url(text);
  if (!url) return url.error().reason;
  const auto judged = policy.judge_url(*url);
  if (judged) return "allowed";
  EXPECT_EQ(judged.error().code, Errc::forbidden);
  return judged.error().reason;
}

TEST(EgressPolicy, MatchesDomainsOnLabelBorders) {
  const EgressPolicy policy({.allowed_domains = {"youtube.com", "*.Vimeo.com.", ".example.org", " ", ""}});
  for (const auto* url : {"https://youtube.com/", "https://www.youtube.com/", "https://YOUTUBE.com./",
                          "https://vimeo.com/1", "https://player.vimeo.com/1", "https://a.b.example.org/"}) {
    EXPECT_EQ(verdict(policy, url), "allowed") << url;
  }
  for (const auto* url :
       {"https://youtube.com.evil.net/", "https://notyoutube.com/", "https://com/", "https://e/",
        "https://tube.com/", "https://evil.net/youtube.com", "https://youtube.co/"}) {
    EXPECT_EQ(verdict(policy, url), "domain_not_allowed") << url;
  }
}

TEST(EgressPolicy, LetsTheDenyListWin) {
  const EgressPolicy policy({.allowed_domains = {"example.com"}, .denied_domains = {"private.example.com"}});
  EXPECT_EQ(verdict(policy, "http://example.com/"), "allowed");
  EXPECT_EQ(verdict(policy, "http://a.private.example.com/"), "domain_not_allowed");
}

TEST(EgressPolicy, KnowsTheNamesOfThisMachineWithoutAResolver) {
  for (const auto* url : {"http://localhost/", "http://a.localhost:8080/", "http://LOCALHOST./"}) {
    EXPECT_EQ(verdict(EgressPolicy({}), url), "address_not_allowed") << url;
    EXPECT_EQ(verdict(EgressPolicy({.allow_private_networks = true}), url), "allowed") << url;
  }
  EXPECT_EQ(verdict(EgressPolicy({}), "http://notlocalhost/"), "allowed");
}

TEST(EgressPolicy, AllowsEverythingWithAnEmptyListAndForAStar) {
  EXPECT_EQ(verdict(EgressPolicy({.allowed_domains = {""}}), "http://example.com/"), "allowed");
  EXPECT_EQ(verdict(EgressPolicy({.allowed_domains = {"*"}}), "http://example.com/"), "allowed");
  EXPECT_EQ(verdict(EgressPolicy({.denied_domains = {"*"}}), "http://example.com/"), "domain_not_allowed");
}

TEST(EgressPolicy, MatchesAddressesOnlyAsAWhole) {
  const EgressPolicy policy({.allowed_domains = {"1.1", "8.8.8.8", "[2606:4700::1]"}});
  EXPECT_EQ(verdict(policy, "http://8.8.8.8/"), "allowed");
  EXPECT_EQ(verdict(policy, "http://134744072/"), "allowed");
  EXPECT_EQ(verdict(policy, "http://[2606:4700:0::1]/"), "allowed");
  EXPECT_EQ(verdict(policy, "http://9.9.1.1/"), "domain_not_allowed");
}

TEST(EgressPolicy, CanSwitchYoutubeOff) {
  const EgressPolicy policy({.allow_youtube = false});
  for (const auto* url : {"https://www.youtube.com/watch?v=1", "https://youtu.be/1", "https://m.youtube.com/",
                          "https://www.youtube-nocookie.com/embed/1", "https://r1.googlevideo.com/x",
                          "https://i.ytimg.com/vi/1"}) {
    EXPECT_EQ(verdict(policy, url), "domain_not_allowed") << url;
  }
  EXPECT_EQ(verdict(policy, "https://vimeo.com/1"), "allowed");
  EXPECT_EQ(policy.judge_connection("www.youtube.com", 443).error().reason, "domain_not_allowed");
}

TEST(EgressPolicy, CanAllowYoutubeOnly) {
  const EgressPolicy policy({.youtube_only = true});
  EXPECT_EQ(verdict(policy, "https://music.youtube.com/watch?v=1"), "allowed");
  EXPECT_EQ(verdict(policy, "https://youtu.be/1"), "allowed");
  EXPECT_EQ(verdict(policy, "https://vimeo.com/1"), "domain_not_allowed");
  EXPECT_EQ(verdict(policy, "https://r1.googlevideo.com/x"), "domain_not_allowed");
}

TEST(EgressPolicy, HoldsEveryConnectionToTheAllowedDomains) {
  const EgressPolicy policy({.allowed_domains = {"example.com"}, .media_domains = {"cdn.example.net"}});
  EXPECT_TRUE(policy.judge_connection("www.example.com", 443));
  EXPECT_TRUE(policy.judge_connection("a.cdn.example.net", 443));
  EXPECT_EQ(verdict(policy, "https://cdn.example.net/"), "domain_not_allowed");
  for (const auto* host : {"example.net", "notexample.com", "example.com.evil.net", "8.8.8.8"}) {
    EXPECT_EQ(policy.judge_connection(host, 443).error().reason, "domain_not_allowed") << host;
  }
}

TEST(EgressPolicy, LetsMediaComeFromAnywhereIfTheOperatorSaysSo) {
  const EgressPolicy policy(
      {.allowed_domains = {"example.com"}, .denied_domains = {"ads.example"}, .media_domains = {"*"}});
  EXPECT_TRUE(policy.judge_connection("r1.elsewhere.net", 443));
  EXPECT_EQ(policy.judge_connection("x.ads.example", 443).error().reason, "domain_not_allowed");
  EXPECT_EQ(verdict(policy, "https://r1.elsewhere.net/"), "domain_not_allowed");
}

TEST(EgressPolicy, ReachesTheServersOfYoutubeWhereItsPagesAreAllowed) {
  for (const EgressPolicy& policy :
       {EgressPolicy({.allowed_domains = {"youtube.com"}}), EgressPolicy({.youtube_only = true})}) {
    EXPECT_TRUE(policy.judge_connection("r1.googlevideo.com", 443));
    EXPECT_TRUE(policy.judge_connection("i.ytimg.com", 443));
    EXPECT_EQ(verdict(policy, "https://r1.googlevideo.com/x"), "domain_not_allowed");
    EXPECT_EQ(policy.judge_connection("vimeo.com", 443).error().reason, "domain_not_allowed");
  }
  const EgressPolicy other({.allowed_domains = {"example.com"}});
  EXPECT_EQ(other.judge_connection("r1.googlevideo.com", 443).error().reason, "domain_not_allowed");
}

TEST(EgressPolicy, AllowsWebPortsAndHighOnesWithoutWellKnownServices) {
  const EgressPolicy policy{EgressRules{}};
  for (const int port : {80, 443, 8080, 8443, 1024, 3000, 8000, 9000, 65535}) {
    EXPECT_TRUE(policy.judge_connection("example.com", static_cast<std::uint16_t>(port))) << port;
  }
  for (const int port :
       {0,    1,    21,   22,   25,   53,   81,   110,  444,  1023,  2375,  2376,  2379, 3306,
        3389, 5432, 5672, 6379, 6443, 8500, 9092, 9200, 9300, 10250, 11211, 15672, 27017}) {
    EXPECT_FALSE(policy.judge_connection("example.com", static_cast<std::uint16_t>(port))) << port;
  }
  EXPECT_EQ(verdict(policy, "http://example.com:22/"), "port_not_allowed");
}

TEST(EgressPolicy, OpensEveryPortTogetherWithPrivateNetworks) {
  const EgressPolicy policy({.allow_private_networks = true});
  EXPECT_EQ(verdict(policy, "http://127.0.0.1:81/"), "allowed");
  EXPECT_FALSE(policy.judge_connection("example.com", 0));
}

EgressRules with_exceptions(std::initializer_list<const char*> exceptions) {
  EgressRules rules;
  for (const auto* text : exceptions) rules.allow_addresses.push_back(parse_address_exception(text).value());
  return rules;
}

bool open(const EgressPolicy& policy, std::string_view address, std::uint16_t port) {
  return policy.judge_address(boost::asio::ip::make_address(address), port).has_value();
}

TEST(EgressPolicy, OpensAnExceptionOnItsPortsAlone) {
  const EgressPolicy policy(with_exceptions({"10.0.0.0/8:6443", "198.18.0.0/15", "[fd00::/8]:8000-8002"}));
  EXPECT_TRUE(open(policy, "10.1.2.3", 6443));  // A port that is closed elsewhere.
  EXPECT_FALSE(open(policy, "10.1.2.3", 443));
  EXPECT_FALSE(open(policy, "11.0.0.1", 6443));
  EXPECT_TRUE(open(policy, "198.19.255.255", 443));
  EXPECT_FALSE(open(policy, "198.19.255.255", 6379));
  EXPECT_FALSE(open(policy, "198.20.0.0", 6443));
  EXPECT_TRUE(open(policy, "fd00::1", 8002));
  EXPECT_FALSE(open(policy, "fd00::1", 8003));
  EXPECT_FALSE(open(policy, "192.168.0.1", 443));
  EXPECT_EQ(verdict(policy, "http://10.1.2.3:6443/"), "allowed");
  EXPECT_EQ(verdict(policy, "http://8.8.8.8:6443/"), "port_not_allowed");
  EXPECT_EQ(verdict(policy, "http://10.1.2.3/"), "address_not_allowed");
}

TEST(EgressPolicy, OpensTheHalfOfAnEmbeddingThatTheExceptionNames) {
  const EgressPolicy inner(with_exceptions({"10.0.0.0/8"}));
  EXPECT_TRUE(open(inner, "64:ff9b::a00:5", 443));
  EXPECT_FALSE(open(inner, "64:ff9b::7f00:1", 443));
  EXPECT_FALSE(open(inner, "fd00::5efe:a00:5", 443));
  EXPECT_FALSE(open(inner, "::ffff:10.0.0.5", 443));
  const EgressPolicy outer(with_exceptions({"2a00::/16"}));
  EXPECT_FALSE(open(outer, "2a00::5efe:a00:5", 443));
}

TEST(EgressPolicy, NeverOpensWhatIsNoHost) {
  const EgressPolicy policy(with_exceptions({"0.0.0.0/0", "::/0"}));
  for (const auto* address : {"0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "ff02::1",
                              "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b:1::1"}) {
    EXPECT_FALSE(open(policy, address, 443)) << address;
  }
  EXPECT_TRUE(open(policy, "127.0.0.1", 443));
  EXPECT_TRUE(open(policy, "240.0.0.1", 443));
}

TEST(EgressPolicy, NeverReachesItsOwnListeners) {
  for (EgressPolicy policy : {EgressPolicy({.allow_private_networks = true}),
                              EgressPolicy(with_exceptions({"127.0.0.0/8", "::1"}))}) {
    EXPECT_TRUE(open(policy, "127.0.0.1", 8080));
    policy.close_own_port(8080);
    policy.close_own_port(8080);
    policy.close_own_port(9000);
    for (const auto* address : {"127.0.0.1", "127.9.9.9", "::1"}) {
      EXPECT_FALSE(open(policy, address, 8080)) << address;
      EXPECT_FALSE(open(policy, address, 9000)) << address;
      EXPECT_TRUE(open(policy, address, 8081)) << address;
    }
  }
}

TEST(EgressPolicy, ChecksThePeerOfAConnectionThatStands) {
  using boost::asio::ip::make_address;
  EgressPolicy policy(with_exceptions({"203.0.113.9"}));
  policy.close_own_port(8080);
  const auto judge = [&](const char* peer, std::uint16_t port, const char* local) {
    return policy.judge_peer(make_address(peer), port, make_address(local)).has_value();
  };
  EXPECT_TRUE(judge("8.8.8.8", 443, "192.168.1.5"));
  EXPECT_FALSE(judge("8.8.8.8", 443, "8.8.8.8"));  // One of our own interfaces.
  EXPECT_FALSE(judge("10.0.0.1", 443, "10.0.0.2"));
  EXPECT_TRUE(judge("203.0.113.9", 443, "203.0.113.9"));
  EXPECT_FALSE(judge("203.0.113.9", 8080, "203.0.113.9"));
}

TEST(EgressPolicy, TakesItsPortsFromTheOperator) {
  const EgressPolicy policy({.allowed_ports = {{443, 443}, {5432, 5432}, {6000, 7000}}});
  for (const int port : {443, 5432, 6001, 6500})
    EXPECT_TRUE(policy.judge_connection("example.com", static_cast<std::uint16_t>(port))) << port;
  for (const int port : {80, 8080, 5433, 6379, 6667, 7000})
    EXPECT_FALSE(policy.judge_connection("example.com", static_cast<std::uint16_t>(port))) << port;
}

TEST(EgressPolicy, JudgesAHostThatIsAnAddressInAnySpelling) {
  const EgressPolicy policy{EgressRules{}};
  for (const auto* url :
       {"http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://0177.0.0.1/",
        "http://017700000001/", "http://0300.0250.1.1/", "http://[::1]/", "http://169.254.43518/",
        "http://0/", "http://[::ffff:127.0.0.1]/", "http://[::7f00:1]/", "http://[64:ff9b::a00:1]/",
        "http://[fd00::1]/", "http://10.0.0.5./", "http://[fe80::1]/", "http://[2002:7f00:1::]/",
        "http://[2a00::5efe:7f00:1]/"}) {
    EXPECT_EQ(verdict(policy, url), "address_not_allowed") << url;
  }
  EXPECT_EQ(verdict(policy, "http://8.8.8.8/"), "allowed");
}

TEST(EgressPolicy, RefusesSchemesThatAreNotTheWebs) {
  const EgressPolicy policy{EgressRules{}};
  const Url url{.scheme = "ftp", .host = "example.com", .port = 80, .target = "/"};
  EXPECT_EQ(policy.judge_url(url).error().reason, "scheme_not_allowed");
}

TEST(EgressPolicy, SaysHowToOpenWhatCanBeOpened) {
  const EgressPolicy policy{EgressRules{}};
  EXPECT_NE(policy.judge_address(boost::asio::ip::make_address("10.0.0.1"), 443)
                .error()
                .message.find("allow_private_networks"),
            std::string::npos);
  EXPECT_EQ(policy.judge_address(boost::asio::ip::make_address("224.0.0.1"), 443)
                .error()
                .message.find("allow_private_networks"),
            std::string::npos);
}

}  // namespace
}  // namespace trawl::net
