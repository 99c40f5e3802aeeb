#include "access/client_address.h"

#include <gtest/gtest.h>

namespace trawl::access {
namespace {

TEST(ClientAddress, IsBelievedOnlyFromTrustedProxies) {
  const auto trusted = parse_proxies({"10.0.0.0/8", "192.0.2.7", "fd00::/8"}).value();
  struct Case {
    const char *peer, *field, *client;
  };
  for (const Case& c : {Case{"198.51.100.1", "203.0.113.9", "198.51.100.1"},    // Not a proxy: a lie.
                        {"10.1.2.3", "203.0.113.9", "203.0.113.9"},             // One proxy.
                        {"10.1.2.3", "1.1.1.1, 203.0.113.9", "203.0.113.9"},    // The client made one up.
                        {"10.1.2.3", "203.0.113.9, 192.0.2.7", "203.0.113.9"},  // Two proxies.
                        {"10.1.2.3", "1.1.1.1, 203.0.113.9, 192.0.2.7", "203.0.113.9"},
                        {"10.1.2.3", "10.9.9.9", "10.9.9.9"},  // Nobody but proxies.
                        {"10.1.2.3", "", "10.1.2.3"},
                        {"10.1.2.3", "unknown", "10.1.2.3"},
                        {"10.1.2.3", "203.0.113.9, nonsense", "10.1.2.3"},
                        {"10.1.2.3", "203.0.113.9:4711", "203.0.113.9"},
                        {"10.1.2.3", "[2001:db8::1]:4711", "2001:db8::1"},
                        {"10.1.2.3", "2001:db8::1", "2001:db8::1"},
                        {"10.1.2.3", "::ffff:203.0.113.9", "203.0.113.9"},
                        {"fd00::5", "203.0.113.9", "203.0.113.9"},
                        {"fe80::5", "203.0.113.9", "fe80::5"}}) {
    http::Request request;
    request.remote = c.peer;
    request.headers.set("X-Forwarded-For", c.field);
    EXPECT_EQ(client_address(request, trusted, ProxyField::x_forwarded_for), c.client)
        << c.peer << " " << c.field;
    // The other field is not looked at.
    EXPECT_EQ(client_address(request, trusted, ProxyField::forwarded), c.peer);
  }
}

TEST(ClientAddress, IsReadFromForwarded) {
  const auto trusted = parse_proxies({"127.0.0.1"}).value();
  struct Case {
    const char *field, *client;
  };
  for (const Case& c : {Case{"for=203.0.113.9", "203.0.113.9"},
                        {"For=\"[2001:db8::1]:80\";proto=https", "2001:db8::1"},
                        {"for=1.1.1.1, proto=https; for=203.0.113.9;by=127.0.0.1", "203.0.113.9"},
                        {"for=203.0.113.9, for=127.0.0.1", "203.0.113.9"},
                        {"for=_hidden", "127.0.0.1"},
                        {"by=203.0.113.9", "127.0.0.1"}}) {
    http::Request request;
    request.remote = "127.0.0.1";
    request.headers.set("Forwarded", c.field);
    EXPECT_EQ(client_address(request, trusted, ProxyField::forwarded), c.client) << c.field;
  }
}

TEST(ClientAddress, RefusesWhatIsNoNetwork) {
  for (const char* text : {"10.0.0.0/33", "example.com", "", "::/129", "10.0.0"})
    EXPECT_FALSE(parse_proxies({text})) << text;
}

TEST(ClientAddress, CountsAnIpv6CustomerAsOne) {
  EXPECT_EQ(address_group("203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(address_group("2001:db8:1:2:3:4:5:6"), address_group("2001:db8:1:2::9"));
  EXPECT_NE(address_group("2001:db8:1:2::9"), address_group("2001:db8:1:3::9"));
}

}  // namespace
}  // namespace trawl::access
