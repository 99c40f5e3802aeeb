#include "net/url.h"

#include <gtest/gtest.h>

namespace trawl::net {
namespace {

std::string host_of(std::string_view text) {
  const auto url = parse_url(text);
  return url ? url->host : url.error().reason;
}

TEST(Url, TakesAnAbsoluteUrlApart) {
  const auto url = parse_url("  HTTPS://Media.Example.COM:8443/a/b?c=d#part\n");
  ASSERT_TRUE(url);
  EXPECT_EQ(*url, (Url{.scheme = "https", .host = "media.example.com", .port = 8443, .target = "/a/b?c=d"}));
  EXPECT_EQ(to_string(*url), "https://media.example.com:8443/a/b?c=d");
}

TEST(Url, FillsInTheDefaultPortAndPath) {
  EXPECT_EQ(parse_url("http://example.com")->port, 80);
  EXPECT_EQ(parse_url("https://example.com:/")->port, 443);
  EXPECT_EQ(parse_url("http://example.com")->target, "/");
  EXPECT_EQ(parse_url("http://example.com?q")->target, "/?q");
  EXPECT_EQ(parse_url("http://example.com#top")->target, "/");
}

TEST(Url, LeavesTheDefaultPortOutOfTheAuthority) {
  EXPECT_EQ(to_authority(*parse_url("http://example.com:80/")), "example.com");
  EXPECT_EQ(to_authority(*parse_url("http://example.com:443/")), "example.com:443");
  EXPECT_EQ(to_authority(*parse_url("http://[2001:DB8::1]:81/")), "[2001:db8::1]:81");
}

TEST(Url, EncodesWhatPeoplePasteIntoPathAndQuery) {
  EXPECT_EQ(parse_url("http://h/\xC3\xA4[1]|100%?a={b}%2f")->target, "/%C3%A4%5B1%5D%7C100%25?a=%7Bb%7D%2f");
}

struct Spelling {
  std::string_view url;
  std::string_view host;
};

class Ipv4Spelling : public testing::TestWithParam<Spelling> {};

TEST_P(Ipv4Spelling, BecomesTheAddressAResolverWouldDial) {
  EXPECT_EQ(host_of(GetParam().url), GetParam().host);
}

INSTANTIATE_TEST_SUITE_P(
    InetAton, Ipv4Spelling,
    testing::Values(Spelling{"http://2130706433/", "127.0.0.1"}, Spelling{"http://0x7f000001/", "127.0.0.1"},
                    Spelling{"http://0X7F.1/", "127.0.0.1"}, Spelling{"http://127.1/", "127.0.0.1"},
                    Spelling{"http://127.0.1/", "127.0.0.1"}, Spelling{"http://0177.0.0.1/", "127.0.0.1"},
                    Spelling{"http://017700000001/", "127.0.0.1"},
                    Spelling{"http://0300.0250.1.1/", "192.168.1.1"},
                    Spelling{"http://169.254.43518/", "169.254.169.254"},
                    Spelling{"http://0xa9.0xfe.0xa9.0xfe/", "169.254.169.254"},
                    Spelling{"http://0/", "0.0.0.0"}, Spelling{"http://127.0.0.1./", "127.0.0.1"},
                    Spelling{"http://4294967295/", "255.255.255.255"},
                    Spelling{"http://010.8.8.8/", "8.8.8.8"}));

class RefusedUrl : public testing::TestWithParam<std::string_view> {};

TEST_P(RefusedUrl, IsInvalid) {
  const auto url = parse_url(GetParam());
  ASSERT_FALSE(url) << to_string(*url);
  EXPECT_EQ(url.error().code, Errc::invalid);
  EXPECT_EQ(url.error().reason, "invalid_url");
  EXPECT_FALSE(url.error().message.empty());
}

INSTANTIATE_TEST_SUITE_P(Scheme, RefusedUrl,
                         testing::Values("", "   ", "example.com", "//example.com/", "ftp://example.com/",
                                         "file:///etc/passwd", "javascript:alert(1)", "data:text/plain,x",
                                         "http:/example.com", "http:example.com", "gopher://h/", "-o",
                                         "--exec", "https//example.com", "ytsearch:cats",
                                         "\"http://example.com\""));
INSTANTIATE_TEST_SUITE_P(Characters, RefusedUrl,
                         testing::Values("http://exa mple.com/", "http://example.com/a b",
                                         "http://example.com/\tx", "http://example.com/a\r\nHost: b",
                                         "http://example.com\\@evil.net/", "http:\\\\example.com",
                                         "http://example.com/\x7f",
                                         std::string_view("http://example.com/\0x", 21)));
INSTANTIATE_TEST_SUITE_P(Authority, RefusedUrl,
                         testing::Values("http://user@example.com/", "http://user:pw@example.com/",
                                         "http://@h/", "http://example.com:80@127.0.0.1/", "http:///path",
                                         "http://?q", "http://#", "http://.", "http://a..b/", "http://.a/",
                                         "http://example.com../", "http://-oProxy/", "http://a,b/",
                                         "http://a;b/", "http://%31%32%37.0.0.1/", "http://ex%61mple.com/",
                                         "http://a:b:c/"));
INSTANTIATE_TEST_SUITE_P(Ports, RefusedUrl,
                         testing::Values("http://h:0/", "http://h:65536/", "http://h:-1/", "http://h:+80/",
                                         "http://h:8o/", "http://h: 80/", "http://h:99999999999/",
                                         "http://h:0x50/"));
INSTANTIATE_TEST_SUITE_P(Ipv4, RefusedUrl,
                         testing::Values("http://256.0.0.1/", "http://1.2.3.4.5/", "http://08.0.0.1/",
                                         "http://4294967296/", "http://0x1ffffffff/", "http://1.2.65536/",
                                         "http://0x/", "http://1.2..4/", "http://a.1/", "http://1.2.3.0x/"));
INSTANTIATE_TEST_SUITE_P(Ipv6, RefusedUrl,
                         testing::Values("http://[::1/", "http://::1/", "http://[]/", "http://[1.2.3.4]/",
                                         "http://[::g]/", "http://[fe80::1%25eth0]/",
                                         "http://[fe80::1%eth0]/", "http://[v1.x]/", "http://[::1]x/",
                                         "http://[::1]:0/", "http://[:::1]/"));
INSTANTIATE_TEST_SUITE_P(NonAscii, RefusedUrl,
                         testing::Values("http://m\xC3\xBCnchen.de/",
                                         "http://127\xE3\x80\x82"
                                         "0.0.1/",
                                         "http://\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.1/",
                                         "http://ex\xEF\xBC\x8F"
                                         "ample.com/"));

TEST(Url, SaysHowToWriteAnInternationalName) {
  EXPECT_NE(parse_url("http://m\xC3\xBCnchen.de/").error().message.find("punycode"), std::string::npos);
  EXPECT_EQ(host_of("http://XN--mnchen-3ya.de/"), "xn--mnchen-3ya.de");
}

TEST(Url, KnowsOneSpellingOfANameAndOfAnIpv6Address) {
  EXPECT_EQ(host_of("http://Example.com./"), "example.com");
  EXPECT_EQ(host_of("http://r3---sn_4g5.Example.com/"), "r3---sn_4g5.example.com");
  EXPECT_EQ(host_of("http://[0:0:0:0:0:0:0:1]/"), "::1");
  EXPECT_EQ(host_of("http://[::FFFF:7f00:1]/"), "::ffff:127.0.0.1");
  EXPECT_EQ(host_of("http://1.2.3.4.com/"), "1.2.3.4.com");
}

TEST(Url, RefusesWhatIsTooLong) {
  EXPECT_FALSE(parse_url("http://h/" + std::string(9000, 'a')));
  EXPECT_FALSE(parse_url("http://" + std::string(64, 'a') + ".com/"));
  std::string name;
  for (int i = 0; i < 64; ++i) name += "abc.";
  EXPECT_FALSE(parse_url("http://" + name + "com/"));
}

TEST(Authority, SplitsHostAndPort) {
  const auto authority = parse_authority("[::1]:443");
  ASSERT_TRUE(authority);
  EXPECT_EQ(authority->host, "::1");
  EXPECT_EQ(authority->port, 443);
  EXPECT_EQ(parse_authority("127.1:80")->host, "127.0.0.1");
  EXPECT_FALSE(parse_authority("example.com")->port);
  EXPECT_FALSE(parse_authority("::1:443"));
}

TEST(RedactUrl, KeepsSecretsOut) {
  EXPECT_EQ(redact_url("https://example.com/watch?v=1&sig=secret#t"), "https://example.com/watch");
  EXPECT_EQ(redact_url("https://www.youtube.com/@name/videos?x"), "https://www.youtube.com/@name/videos");
  EXPECT_EQ(redact_url("rtmp://example.com/live?key=secret"), "rtmp://example.com/live");
  for (const auto* text :
       {"http://user:secret@example.com/", "http://user:secret?x@h/", "user:secret@h", "http:/u:secret@h"}) {
    EXPECT_EQ(redact_url(text).find("secret"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace trawl::net
