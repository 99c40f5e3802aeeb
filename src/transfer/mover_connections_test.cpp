#include "transfer/mover_fixture.h"
#include "transfer/origin_memory.h"

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;

TEST_F(MoverTest, AddsConnectionsToAnOriginThatLimitsEachOfThem) {
  const auto file = content(12'000'000);
  const auto server = origin([&](const Request& r) {
    auto reply = proper(r, file);
    reply.bytes_per_second = 2'000'000;
    return reply;
  });
  const auto moved = move_one(*server);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(result(), file);
  EXPECT_GT(server->most_open(), 4);
  EXPECT_LE(server->most_open(), 16);
}

TEST_F(MoverTest, BeginsWithAsManyConnectionsAsTheLastFileFromThereHad) {
  const auto file = content(8'000'000);
  const auto server = origin([&](const Request& r) {
    auto reply = proper(r, file);
    reply.bytes_per_second = 2'000'000;
    return reply;
  });
  earlier_parts = {{.name = "b.mp4", .url = server->url("/b")}};
  ASSERT_TRUE(move_one(*server));
  EXPECT_EQ(result(), file);
  // Those of the second file, in the order they came: the first shows that it can be split.
  std::vector<std::string> ranges;
  for (const auto& request : server->requests()) {
    if (request.target() == "/file") ranges.emplace_back(request["Range"]);
  }
  ASSERT_GT(ranges.size(), 4U);
  EXPECT_EQ(ranges[0], "");
  EXPECT_TRUE(ranges[1].starts_with("bytes=4"));
}

TEST(OriginMemory, ForgetsAfterAWhileAndWhatDidNotHelp) {
  OriginMemory memory;
  const OriginMemory::Time now{};
  EXPECT_EQ(memory.connections("a", now), 1U);
  memory.note("a", 8, now);
  memory.note("b", 4, now);
  EXPECT_EQ(memory.connections("a", now + 9min), 8U);
  EXPECT_EQ(memory.connections("a", now + 11min), 1U);
  memory.note("b", 1, now);
  EXPECT_EQ(memory.connections("b", now), 1U);
}

TEST_F(MoverTest, SharesAHostThatMayHaveFewConnections) {
  const auto file = content(8'000'000);
  limits.connections_per_host = 4;
  const auto server = origin([&](const Request& r) {
    auto reply = proper(r, file);
    reply.bytes_per_second = 1'000'000;
    return reply;
  });
  const auto moved = move({{.name = "a.mp4", .url = server->url("/a"), .chunk_size = 500'000},
                           {.name = "b.mp4", .url = server->url("/b"), .chunk_size = 500'000},
                           {.name = "c.mp4", .url = server->url("/c"), .chunk_size = 500'000}});
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_LE(server->most_open(), 4);
}

}  // namespace
}  // namespace trawl::transfer
