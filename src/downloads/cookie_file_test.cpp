#include "downloads/cookie_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace trawl::downloads {
namespace {

std::string cookie(std::string_view domain, std::string_view name) {
  return fmt::format("{}\tTRUE\t/\tFALSE\t0\t{}\tvalue\n", domain, name);
}

TEST(CookieFile, OnlyCookiesOfTheSubmittedSiteGoAlong) {
  struct Case {
    const char *url, *domain;
    bool goes;
  };
  for (const Case& c : {Case{"https://example.com/x", "example.com", true},
                        {"https://example.com/x", ".example.com", true},
                        {"https://example.com/x", "#HttpOnly_.example.com", true},
                        {"https://EXAMPLE.com./x", "Example.COM", true},
                        {"https://www.example.com/x", ".example.com", true},
                        {"https://example.com/x", "login.example.com", true},
                        {"https://youtu.be/abc", ".youtube.com", true},
                        {"http://127.0.0.1:8080/x", "127.0.0.1", true},
                        {"https://other.com/x", ".example.com", false},
                        {"https://notexample.com/x", "example.com", false},
                        {"https://example.com.evil.net/x", ".example.com", false},
                        {"https://evil.net/?u=https://example.com/", ".example.com", false},
                        {"https://other.com/x", ".com", false},
                        {"http://127.0.0.2/x", "127.0.0.1", false},
                        {"https://example.com/x", "# example.com", false},
                        {"https://example.com/x", "", false},
                        {"no url", "example.com", false}}) {
    const bool went = cookies_for(cookie(c.domain, "c"), c.url).contains("\tc\tvalue\n");
    EXPECT_EQ(went, c.goes) << c.url << " and " << c.domain;
  }
}

TEST(CookieFile, LinesStayAsTheyWereWithOrWithoutCarriageReturns) {
  const std::string line = "#HttpOnly_.example.com\tTRUE\t/\tTRUE\t99\tn\tv w";
  EXPECT_EQ(
      cookies_for("# Netscape HTTP Cookie File\r\n\r\n" + line + "\r\n" + cookie("other.com", "o") + line,
                  "https://example.com/"),
      "# Netscape HTTP Cookie File\n" + line + "\n" + line + "\n");
}

}  // namespace
}  // namespace trawl::downloads
