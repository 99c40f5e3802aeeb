#include "access/cookie_text.h"

#include <gtest/gtest.h>

namespace trawl::access {
namespace {

TEST(CookieText, ReadsNetscapeTextWithAndWithoutItsHeader) {
  const std::string body =
      ".example.com\tTRUE\t/\tTRUE\t1999999999\tsession\tabc=def\n"
      "#HttpOnly_www.example.com\tFALSE\t/a\tFALSE\t0\tid\t\r\n";
  const std::vector<BrowserCookie> expected{
      {.domain = "example.com",
       .subdomains = true,
       .secure = true,
       .expires = 1'999'999'999,
       .name = "session",
       .value = "abc=def"},
      {.domain = "www.example.com", .path = "/a", .http_only = true, .name = "id", .value = ""}};
  EXPECT_EQ(parse_cookies(body), expected);
  EXPECT_EQ(parse_cookies("# Netscape HTTP Cookie File\n# a comment\n\n" + body), expected);
  EXPECT_EQ(parse_cookies(netscape_text(expected)), expected);
}

TEST(CookieText, ReadsTheJsonOfBrowserExtensions) {
  const auto cookies = parse_cookies(R"([
    {"domain": ".Example.com", "name": "a", "value": "1", "path": "/", "secure": true, "httpOnly": true,
     "hostOnly": false, "session": false, "expirationDate": 1999999999.5, "storeId": "0"},
    {"domain": "example.com", "hostOnly": true, "name": "b", "value": "2", "session": true, "expirationDate": 5}])");
  ASSERT_TRUE(cookies) << cookies.error().message;
  EXPECT_EQ((*cookies)[0], (BrowserCookie{.domain = "example.com",
                                          .subdomains = true,
                                          .secure = true,
                                          .http_only = true,
                                          .expires = 1'999'999'999,
                                          .name = "a",
                                          .value = "1"}));
  EXPECT_EQ((*cookies)[1], (BrowserCookie{.domain = "example.com", .name = "b", .value = "2"}));
  EXPECT_EQ(
      parse_cookies(R"({"cookies": [{"domain": "x.y", "name": "a", "value": "1", "expires": -1}]})")->size(),
      1u);
}

TEST(CookieText, RefusesWhatIsNoneWithoutRepeatingIt) {
  const std::string secret = "s3cret-value";
  for (const std::string& text :
       {std::string(), std::string("\n\n"), std::string("# only comments\n"),
        std::string("nonsense " + secret), "example.com\tTRUE\t/\tTRUE\t0\tname " + secret,
        "example.com\tYES\t/\tTRUE\t0\tn\t" + secret, "example.com\tTRUE\t/\tTRUE\tsoon\tn\t" + secret,
        "\tTRUE\t/\tTRUE\t0\tn\t" + secret, "exa mple\tTRUE\t/\tTRUE\t0\tn\t" + secret,
        "example.com\tTRUE\tx\tTRUE\t0\tn\t" + secret,
        "example.com\tTRUE\t/\tTRUE\t0\tn\t" + secret + "\textra",
        "example.com\tTRUE\t/\tTRUE\t0\tn\t" + secret + "\x01", std::string("[") + secret, std::string("[]"),
        std::string("{}"), std::string(R"([{"name": "n"}])"),
        R"([{"domain": "x.y", "name": "n", "value": ")" + secret + R"(\n"}])",
        R"([{"domain": "x.y", "name": 7, "value": ")" + secret + R"("}])"}) {
    const auto cookies = parse_cookies(text);
    ASSERT_FALSE(cookies) << text;
    EXPECT_EQ(cookies.error().reason, "invalid_cookies");
    EXPECT_TRUE(cookies.error().message.contains("Invalid"));
    EXPECT_FALSE(cookies.error().message.contains(secret));
  }
}

TEST(CookieText, TellsDomainsAndWhenTheLastOneEnds) {
  const auto at = [](std::int64_t seconds) { return SystemTime(std::chrono::seconds(seconds)); };
  std::vector<BrowserCookie> cookies{{.domain = "b.example", .expires = 200, .name = "x"},
                                     {.domain = "a.example", .expires = 100, .name = "y"},
                                     {.domain = "b.example", .expires = 150, .name = "z"}};
  EXPECT_EQ(facts_of(cookies).domains, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_EQ(facts_of(cookies).first_expiry, at(100));
  EXPECT_EQ(facts_of(cookies).expires_at, at(200));
  cookies.push_back({.domain = "c.example", .name = "session"});
  EXPECT_EQ(facts_of(cookies).expires_at, std::nullopt);
  EXPECT_EQ(facts_of(cookies).first_expiry, at(100));
}

}  // namespace
}  // namespace trawl::access
