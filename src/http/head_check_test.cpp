#include "http/detail/head_check.h"

#include <gtest/gtest.h>

namespace trawl::http::detail {
namespace {

using State = HeadScan::State;

TEST(HeadScan, FindsTheEndWhateverPiecesTheHeadComesIn) {
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
  for (std::size_t seen = 0; seen < 27; ++seen) {
    const HeadScan scan = scan_head(head, seen);
    EXPECT_EQ(scan.state, State::complete) << seen;
    EXPECT_EQ(scan.size, 27u);
  }
  for (std::size_t size = 0; size < 27; ++size)
    EXPECT_EQ(scan_head(head.substr(0, size)).state, State::incomplete) << size;
}

TEST(HeadScan, RefusesABareLineFeedAtOnce) {
  for (const char* bytes :
       {"\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: x\n", "GET / HTTP/1.1\r\n\n"}) {
    EXPECT_EQ(scan_head(bytes).state, State::malformed) << bytes;
  }
  EXPECT_EQ(scan_head("\r\n").size, 2u);
}

TEST(HeadCheck, SaysWhichStatusAProblemHas) {
  EXPECT_EQ(check_head("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), std::nullopt);
  EXPECT_EQ(check_head("GET / HTTP/2.0\r\nHost: x\r\n\r\n")->status, 505);
  EXPECT_EQ(check_head("GET / HTTP/1.1\r\n\r\n")->status, 400);
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 100; ++i) many += "a: b\r\n";
  EXPECT_EQ(check_head(many + "\r\n")->status, 431);
}

}  // namespace
}  // namespace trawl::http::detail
