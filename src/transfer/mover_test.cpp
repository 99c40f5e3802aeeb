#include "transfer/mover_fixture.h"

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;

TEST_F(MoverTest, BringsAFileAndLeavesNothingElse) {
  const auto file = content(300'000);
  const auto server = origin([&](const Request& r) { return proper(r, file); });
  const auto moved = move_one(*server);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(result(), file);
  EXPECT_FALSE(exists("a.mp4.trawl"));
  EXPECT_FALSE(exists("a.mp4.journal"));
  EXPECT_EQ(progress.downloaded_bytes, 300'000);
  EXPECT_EQ(progress.total_bytes, 300'000);
}

TEST_F(MoverTest, AsksForNoRangeLongerThanTheChunkSize) {
  const auto file = content(250'000);
  const auto server = origin([&](const Request& r) { return proper(r, file); });
  ASSERT_TRUE(move_one(*server, 100'000));
  EXPECT_EQ(result(), file);
  ASSERT_EQ(server->requests().size(), 3U);
  EXPECT_EQ(server->requests()[0]["Range"], "bytes=0-99999");
  EXPECT_EQ(server->requests()[2]["Range"], "bytes=200000-249999");
}

TEST_F(MoverTest, MovesSeveralPartsAtOnceUnderOneLimit) {
  const auto file = content(200'000);
  const auto server = origin([&](const Request& r) { return proper(r, file); });
  move_limits.max_bytes = 350'000;
  const auto moved = move({{.name = "a", .url = server->url()}, {.name = "b", .url = server->url()}});
  EXPECT_EQ(moved.error().code, Errc::too_large);
}

TEST_F(MoverTest, AsksAgainWhenAnAnswerWithoutLengthEndsBeforeTheSizeTheSiteNames) {
  const auto file = content(300'000);
  int asked = 0;
  const auto server = origin([&](const Request&) {
    return Reply{.body = asked++ == 0 ? file.substr(0, 100'000) : file, .no_length = true};
  });
  ASSERT_TRUE(move({{.name = "a.mp4", .url = server->url(), .size = 300'000}}));
  EXPECT_EQ(result(), file);
  EXPECT_EQ(asked, 2);
}

TEST_F(MoverTest, BelievesAnOriginThatEndsTwiceAtTheSamePlace) {
  const auto file = content(300'000);
  const auto server = origin([&](const Request&) { return Reply{.body = file, .no_length = true}; });
  ASSERT_TRUE(move({{.name = "a.mp4", .url = server->url(), .size = 400'000}}));
  EXPECT_EQ(result(), file);
  EXPECT_EQ(server->requests().size(), 2U);
}

TEST_F(MoverTest, LeavesOutAnOptionalPartThatIsNotThere) {
  const auto file = content(300'000);
  const auto server = origin(
      [&](const Request& r) { return r.target() == "/file" ? proper(r, file) : Reply{.status = 404}; });
  const auto moved =
      move({{.name = "a.mp4", .url = server->url()},
            {.name = "a.jpg", .url = server->url("/picture"), .small = true, .optional = true}});
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(result(), file);
  EXPECT_FALSE(exists("a.jpg") || exists("a.jpg.trawl"));
  EXPECT_EQ(progress.total_bytes, 300'000);
}

TEST_F(MoverTest, StopsAStreamWithoutLengthAtTheLimit) {
  const auto file = content(3'000'000);
  const auto server = origin([&](const Request&) { return Reply{.body = file, .no_length = true}; });
  move_limits.max_bytes = 1'000'000;
  EXPECT_EQ(move_one(*server).error().code, Errc::too_large);
  EXPECT_LE(std::filesystem::file_size(folder / "a.mp4.trawl"), 1'000'000U);
}

TEST_F(MoverTest, RefusesANameThatLeavesTheFolder) {
  const auto server = origin([&](const Request&) { return Reply{.body = "x"}; });
  EXPECT_EQ(move({{.name = "../a", .url = server->url()}}).error().code, Errc::invalid);
  EXPECT_EQ(server->connections(), 0);
}

TEST_F(MoverTest, NeverDialsLoopbackUnderTheDefaultPolicy) {
  policy = net::EgressPolicy({});
  const auto server = origin([](const Request&) { return Reply{.body = "secret"}; });
  EXPECT_EQ(move_one(*server).error().code, Errc::forbidden);
  EXPECT_EQ(server->connections(), 0);
}

TEST_F(MoverTest, SaysHowLongTheOriginThatEndedItAskedToBeLeftAlone) {
  const auto server =
      origin([&](const Request&) { return Reply{.status = 429, .headers = {{"Retry-After", "90"}}}; });
  const auto moved = move_one(*server);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().reason, "rate_limited");
  EXPECT_EQ(told_to_wait, 90s);
}

TEST_F(MoverTest, SaysNothingOfAWaitThatAPartWhichIsNotNeededWasAskedFor) {
  const auto file = content(1000);
  const auto server = origin([&](const Request& r) {
    if (r.target() == "/file") return proper(r, file);
    return Reply{.status = 429, .headers = {{"Retry-After", "90"}}};
  });
  ASSERT_TRUE(move({{.name = "a.mp4", .url = server->url()},
                    {.name = "a.jpg", .url = server->url("/picture"), .small = true, .optional = true}}));
  EXPECT_EQ(told_to_wait, std::nullopt);
}

TEST_F(MoverTest, SaysHowLongSegmentsAreToWait) {
  const auto server =
      origin([&](const Request&) { return Reply{.status = 503, .headers = {{"Retry-After", "75"}}}; });
  EXPECT_FALSE(
      move({{.name = "a.ts", .segments = {{.url = server->url("/0")}, {.url = server->url("/1")}}}}));
  EXPECT_EQ(told_to_wait, 75s);
}

}  // namespace
}  // namespace trawl::transfer
