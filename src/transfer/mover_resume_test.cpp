#include <fcntl.h>
#include <unistd.h>

#include "base/sha256.h"
#include "transfer/journal.h"
#include "transfer/mover_fixture.h"

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;

TEST_F(MoverTest, HashesAFileAsItComesWhenAskedTo) {
  const auto file = content(9'000'000);
  const auto server = origin([&](const Request& r) { return proper(r, file); });
  ASSERT_TRUE(move({{.name = "a.mp4", .url = server->url(), .digest = true}}));
  ASSERT_EQ(digests.size(), 1U);
  EXPECT_EQ(digests[0].name, "a.mp4");
  EXPECT_EQ(digests[0].sha256, sha256_hex(file));
  EXPECT_EQ(digests[0].stamp.size, 9'000'000);
  EXPECT_EQ(hashed.front(), 0);
  EXPECT_EQ(std::ranges::count(hashed, 0), 2) << "it did not begin anew";
  EXPECT_TRUE(std::ranges::is_sorted(hashed));
  EXPECT_EQ(told, file);
}

TEST_F(MoverTest, TellsNothingOfAFileThatIsNotHashed) {
  const auto file = content(3'000'000);
  const auto server = origin([&](const Request& r) { return proper(r, file); });
  ASSERT_TRUE(move({{.name = "a.mp4", .url = server->url()}}));
  EXPECT_TRUE(hashed.empty());
}

TEST_F(MoverTest, HashesWhatAStoppedAttemptLeftAndWhatFollows) {
  const auto file = content(3'000'000);
  const auto server = origin([&](const Request& r) {
    auto reply = proper(r, file);
    if (r.count("Range") == 0U) reply.cut_after = 2'000'000;
    return reply;
  });
  Journal journal{.total = 3'000'000, .validator = {.etag = "\"v1\""}};
  journal.done.add({0, 1'280'000});
  std::ofstream(folder / "a.mp4.trawl", std::ios::binary) << file.substr(0, 1'280'000);
  const int part = ::open((folder / "a.mp4.trawl").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_TRUE(journal.hash.advance(part, 640'000));
  ::close(part);
  ASSERT_TRUE(save_journal(folder / "a.mp4.journal", journal));
  ASSERT_TRUE(move({{.name = "a.mp4", .url = server->url(), .digest = true}}));
  EXPECT_EQ(server->requests().at(0)["Range"], "bytes=1280000-2999999");
  ASSERT_EQ(digests.size(), 1U);
  EXPECT_EQ(digests[0].sha256, sha256_hex(file));
}

TEST_F(MoverTest, HashesAFileThatStartedOver) {
  const auto old = content(2'500'000, 1), now = content(2'600'000, 2);
  int asked = 0;
  const auto server = origin([&](const Request& r) {
    auto reply = asked == 0 ? proper(r, old) : proper(r, now, "\"v2\"");
    if (asked++ == 0) reply.cut_after = 2'000'000;
    return reply;
  });
  ASSERT_TRUE(move({{.name = "a.mp4", .url = server->url(), .digest = true}}));
  EXPECT_EQ(result(), now);
  EXPECT_EQ(digests.at(0).sha256, sha256_hex(now));
  EXPECT_TRUE(told == now);
  const auto anew = std::find(std::next(hashed.begin(), 2), hashed.end(), 0);
  EXPECT_NE(anew, hashed.end()) << "nobody was told that it began anew";
}

TEST_F(MoverTest, GoesOnWhereAStopHasEndedIt) {
  const auto file = content(24'000'000);
  const auto first = origin([&](const Request& r) {
    auto reply = proper(r, file);
    reply.stall_after = 15'000'000;
    return reply;
  });
  const auto second = origin([&](const Request& r) { return proper(r, file); });
  move_limits.connections = 1;
  run([&]() -> Task<void> {
    Mover mover(*client, files);
    const auto stop_late = [this](const media::Progress& now) {
      if (now.downloaded_bytes == 15'000'000) stop.set();
    };
    std::vector<media::Part> parts{{.name = "a.mp4", .url = first->url()}};
    const auto stopped =
        co_await mover.move(parts, folder.path(), move_limits, {.on_progress = stop_late}, stop);
    EXPECT_EQ(stopped.error().code, Errc::cancelled);
    EXPECT_TRUE(exists("a.mp4.journal"));

    parts[0].url = second->url();
    const auto moved = co_await mover.move(parts, folder.path(), move_limits, {}, Stop());
    EXPECT_TRUE(moved) << moved.error().message;
  });
  EXPECT_TRUE(result() == file);
  EXPECT_EQ(second->requests().at(0)["Range"], "bytes=15000000-23999999");
  EXPECT_EQ(second->body_bytes(), 9'000'000);
}

TEST_F(MoverTest, StartsOverWhenTheJournalIsDamaged) {
  const auto file = content(100'000);
  std::ofstream(folder / "a.mp4.trawl") << content(50'000, 9);
  std::ofstream(folder / "a.mp4.journal") << R"({"version":1,"total":100000,"etag":"\"v1\"","done":[[0,5)";
  const auto server = origin([&](const Request& r) { return proper(r, file); });
  ASSERT_TRUE(move_one(*server));
  EXPECT_EQ(result(), file);
}

}  // namespace
}  // namespace trawl::transfer
