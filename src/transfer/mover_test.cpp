#include "transfer/mover.h"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "base/sha256.h"
#include "testing/temp_dir.h"
#include "transfer/journal.h"
#include "transfer/range_plan.h"
#include "transfer/transfer_fixture.h"

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;

std::string content(std::size_t size, unsigned seed = 1) {
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  return out;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

using Request = ScriptedOrigin::Request;
using Reply = ScriptedOrigin::Reply;

std::optional<Span> asked_range(const Request& request, std::size_t size) {
  const std::string field = request["Range"];
  if (!field.starts_with("bytes=")) return std::nullopt;
  const auto dash = field.find('-');
  Span out{std::stoll(field.substr(6, dash - 6)), static_cast<std::int64_t>(size)};
  if (dash + 1 < field.size())
    out.end = std::min(out.end, std::int64_t{std::stoll(field.substr(dash + 1)) + 1});
  return out;
}

// What an origin without faults answers.
Reply proper(const Request& request, const std::string& file, std::string etag = "\"v1\"") {
  Reply reply{.headers = {{"ETag", etag}, {"Accept-Ranges", "bytes"}}};
  const auto span = asked_range(request, file.size());
  const bool condition_fails = request.count("If-Range") != 0U && request["If-Range"] != etag;
  if (!span || condition_fails) {
    reply.body = file;
    return reply;
  }
  reply.status = 206;
  reply.headers.emplace_back("Content-Range",
                             fmt::format("bytes {}-{}/{}", span->first, span->end - 1, file.size()));
  reply.body = file.substr(static_cast<std::size_t>(span->first), static_cast<std::size_t>(span->size()));
  return reply;
}

class MoverTest : public TransferTest {
 protected:
  MoverTest() { move_limits.retries = 1; }
  ~MoverTest() override { files.join(); }

  Result<void> move(std::vector<media::Part> parts) {
    Result<void> out;
    run([&]() -> Task<void> {
      Mover mover(*client, files);
      for (auto& earlier : earlier_parts)
        EXPECT_TRUE(co_await mover.move({std::move(earlier)}, folder.path(), move_limits, {}, stop));
      auto moved = co_await mover.move(
          std::move(parts), folder.path(), move_limits,
          [this](const media::Progress& now) {
            EXPECT_GE(now.downloaded_bytes, progress.downloaded_bytes);
            progress = now;
          },
          stop);
      if (moved)
        digests = *moved;
      else
        out = fail(moved.error());
    });
    return out;
  }
  Result<void> move_one(const ScriptedOrigin& server, std::int64_t chunk = 0) {
    return move({{.name = "a.mp4", .url = server.url(), .chunk_size = chunk}});
  }
  [[nodiscard]] std::string result() const { return read(folder / "a.mp4"); }
  [[nodiscard]] bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }

  TempDir folder;
  BlockingPool files{2};
  MoveLimits move_limits;
  Stop stop;
  media::Progress progress;
  Mover::Digests digests;
  std::vector<media::Part> earlier_parts;  // Brought by the same mover before.
};

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

TEST_F(MoverTest, HashesAFileAsItComesWhenAskedTo) {
  const auto file = content(9'000'000);
  const auto server = origin([&](const Request& r) { return proper(r, file); });
  ASSERT_TRUE(move({{.name = "a.mp4", .url = server->url(), .digest = true}}));
  ASSERT_EQ(digests.size(), 1U);
  EXPECT_EQ(digests[0].name, "a.mp4");
  EXPECT_EQ(digests[0].sha256, sha256_hex(file));
  EXPECT_EQ(digests[0].stamp.size, 9'000'000);
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
    const auto stopped = co_await mover.move(parts, folder.path(), move_limits, stop_late, stop);
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

TEST_F(MoverTest, NeverDialsLoopbackUnderTheDefaultPolicy) {
  policy = net::EgressPolicy({});
  const auto server = origin([](const Request&) { return Reply{.body = "secret"}; });
  EXPECT_EQ(move_one(*server).error().code, Errc::forbidden);
  EXPECT_EQ(server->connections(), 0);
}

// What an origin can do wrong when it is asked for the rest of a file.
struct Rude {
  std::string name;
  bool recoverable;
  // The answer to the `nth` request (from 0); `old` is what the first ones got.
  std::function<Reply(const Request&, int nth, const std::string& old, const std::string& now)> answer;
  bool changes = false;  // The file is another one from the second request on.
};

Reply cut(Reply reply) {
  reply.cut_after = reply.body.size() * 2 / 3;
  return reply;
}

void set_header(Reply& reply, const std::string& name, std::string value) {
  std::erase_if(reply.headers, [&](const auto& field) { return field.first == name; });
  reply.headers.emplace_back(name, std::move(value));
}

// A 206 whose Content-Range and body begin `by` bytes away from what was asked.
Reply shifted(const Request& r, const std::string& file, std::int64_t by) {
  auto span = asked_range(r, file.size());
  if (!span) return proper(r, file);
  Reply reply{.status = 206, .headers = {{"ETag", "\"v1\""}}};
  const auto first = std::max<std::int64_t>(span->first + by, 0);
  reply.headers.emplace_back("Content-Range",
                             fmt::format("bytes {}-{}/{}", first, file.size() - 1, file.size()));
  reply.body = file.substr(static_cast<std::size_t>(first));
  return reply;
}

std::vector<Rude> rude_origins() {
  const auto whole = [](const std::string& file) {
    return Reply{.headers = {{"ETag", "\"v1\""}}, .body = file};
  };
  const auto ranged = [](const Request& r) { return r.count("Range") != 0U; };
  const auto after_cut = [](auto rest) {
    return [rest](const Request& r, int nth, const std::string& old, const std::string& now) {
      return nth == 0 ? cut(proper(r, old)) : rest(r, old, now);
    };
  };
  const auto simple = [=](auto rest) {
    return after_cut(
        [rest](const Request& r, const std::string&, const std::string& now) { return rest(r, now); });
  };
  const auto with_modified = [](Reply reply, std::string etag, std::string modified) {
    std::erase_if(reply.headers, [](const auto& field) { return field.first == "ETag"; });
    if (!etag.empty()) reply.headers.emplace_back("ETag", etag);
    if (!modified.empty()) reply.headers.emplace_back("Last-Modified", modified);
    return reply;
  };
  const std::string kDate = "Wed, 21 Oct 2015 07:28:00 GMT";
  std::vector<Rude> out;
  out.push_back(
      {"200 to a range", true, simple([=](const Request&, const std::string& f) { return whole(f); })});
  out.push_back({"206 that starts earlier", true,
                 simple([](const Request& r, const std::string& f) { return shifted(r, f, -1000); })});
  out.push_back({"206 that starts later", true,
                 simple([](const Request& r, const std::string& f) { return shifted(r, f, 1000); })});
  out.push_back({"206 with a wrong total", true, simple([=](const Request& r, const std::string& f) {
                   auto reply = proper(r, f);
                   if (ranged(r)) {
                     const auto span = *asked_range(r, f.size());
                     set_header(reply, "Content-Range",
                                fmt::format("bytes {}-{}/{}", span.first, span.end - 1, f.size() + 7));
                   }
                   return reply;
                 })});
  out.push_back({"206 without a total", true, simple([=](const Request& r, const std::string& f) {
                   auto reply = proper(r, f);
                   if (ranged(r)) {
                     const auto span = *asked_range(r, f.size());
                     set_header(reply, "Content-Range",
                                fmt::format("bytes {}-{}/*", span.first, span.end - 1));
                   }
                   return reply;
                 })});
  out.push_back(
      {"weak ETag", true, [](const Request& r, int nth, const std::string& old, const std::string& now) {
         auto reply = proper(r, nth == 0 ? old : now, "W/\"v1\"");
         return nth == 0 ? cut(reply) : reply;
       }});
  out.push_back({"ETag changed", true,
                 after_cut([](const Request& r, const std::string&, const std::string& now) {
                   return proper(r, now, "\"v2\"");
                 }),
                 true});
  out.push_back({"only Last-Modified", true,
                 [=](const Request& r, int nth, const std::string& old, const std::string&) {
                   auto plain = r;
                   if (plain["If-Range"] == kDate) plain.erase("If-Range");
                   auto reply = with_modified(proper(plain, old), "", kDate);
                   return nth == 0 ? cut(reply) : reply;
                 }});
  out.push_back({"If-Range ignored although the file changed", true,
                 after_cut([](const Request& r, const std::string&, const std::string& now) {
                   auto plain = r;
                   plain.erase("If-Range");
                   return proper(plain, now, "\"v2\"");
                 }),
                 true});
  out.push_back(
      {"304", false, simple([](const Request&, const std::string&) { return Reply{.status = 304}; })});
  out.push_back({"416 of the same length", true, simple([=](const Request& r, const std::string& f) {
                   if (!ranged(r)) return whole(f);
                   return Reply{.status = 416,
                                .headers = {{"ETag", "\"v1\""},
                                            {"Content-Range", fmt::format("bytes */{}", f.size())}}};
                 })});
  out.push_back({"416 of another length", true, simple([=](const Request& r, const std::string& f) {
                   if (!ranged(r)) return whole(f);
                   return Reply{.status = 416,
                                .headers = {{"ETag", "\"v1\""},
                                            {"Content-Range", fmt::format("bytes */{}", f.size() * 2 / 3)}}};
                 })});
  out.push_back({"short body", true, [](const Request& r, int nth, const std::string& f, const std::string&) {
                   auto reply = proper(r, f);
                   if (nth == 0) {
                     reply.length = static_cast<std::int64_t>(f.size());
                     reply.body.resize(f.size() / 2);
                   }
                   return reply;
                 }});
  out.push_back({"long body", true, [](const Request& r, int nth, const std::string& f, const std::string&) {
                   auto reply = proper(r, f);
                   if (nth == 0) {
                     reply.length = static_cast<std::int64_t>(f.size());
                     reply.body += "and more";
                   }
                   return reply;
                 }});
  out.push_back(
      {"no length and a cut", true, [](const Request&, int nth, const std::string& f, const std::string&) {
         const Reply reply{.body = f, .no_length = true};
         return nth == 0 ? cut(reply) : reply;
       }});
  out.push_back({"gzip", false, [](const Request& r, int, const std::string& f, const std::string&) {
                   auto reply = proper(r, f);
                   reply.headers.emplace_back("Content-Encoding", "gzip");
                   return reply;
                 }});
  out.push_back({"multipart/byteranges", true, simple([=](const Request& r, const std::string& f) {
                   auto reply = proper(r, f);
                   if (ranged(r)) set_header(reply, "Content-Type", "multipart/byteranges; boundary=x");
                   return reply;
                 })});
  out.push_back({"redirect to another file", true,
                 after_cut([](const Request& r, const std::string&, const std::string& now) {
                   if (r.target() == "/file")
                     return Reply{.status = 302, .headers = {{"Location", "/other"}}};
                   return proper(r, now, "\"other\"");
                 }),
                 true});
  out.push_back(
      {"429 with Retry-After", true, [](const Request& r, int nth, const std::string& f, const std::string&) {
         if (nth == 0) return Reply{.status = 429, .headers = {{"Retry-After", "1"}}};
         return proper(r, f);
       }});
  out.push_back({"503", true, [](const Request& r, int nth, const std::string& f, const std::string&) {
                   return nth == 0 ? Reply{.status = 503} : proper(r, f);
                 }});
  out.push_back(
      {"one byte a second", false, [](const Request& r, int, const std::string& f, const std::string&) {
         auto reply = proper(r, f);
         reply.bytes_per_second = 1;
         return reply;
       }});
  out.push_back({"a file that grew by 50 bytes", true,
                 after_cut([](const Request& r, const std::string&, const std::string& now) {
                   return proper(r, now + std::string(50, 'x'), "\"v2\"");
                 }),
                 true});
  out.push_back({"another file of the same length and date", true,
                 [=](const Request& r, int nth, const std::string& old, const std::string& now) {
                   auto reply = with_modified(proper(r, nth == 0 ? old : now, nth == 0 ? "\"v1\"" : "\"v2\""),
                                              nth == 0 ? "\"v1\"" : "\"v2\"", kDate);
                   return nth == 0 ? cut(reply) : reply;
                 },
                 true});
  out.push_back(
      {"HTTP/1.0 that closes", true, [](const Request&, int, const std::string& f, const std::string&) {
         return Reply{.body = f, .no_length = true, .version = "HTTP/1.0"};
       }});
  return out;
}

class RudeOrigins : public MoverTest, public testing::WithParamInterface<Rude> {};

TEST_P(RudeOrigins, NeverLeaveAWrongFile) {
  const Rude& rude = GetParam();
  limits.quiet_timeout = 1s;
  const auto old = content(400'000);
  const auto now = rude.changes ? content(400'000, 77) : old;
  int nth = 0;
  const auto server = origin([&](const Request& r) { return rude.answer(r, nth++, old, now); });
  const auto moved = move_one(*server);
  EXPECT_EQ(moved.has_value(), rude.recoverable) << (moved ? "" : moved.error().message);
  ASSERT_EQ(exists("a.mp4"), moved.has_value());
  if (!moved) return;
  const auto expected = rude.name.contains("50 bytes") ? now + std::string(50, 'x') : now;
  EXPECT_EQ(result().size(), expected.size());
  EXPECT_TRUE(result() == expected);
}

INSTANTIATE_TEST_SUITE_P(D2, RudeOrigins, testing::ValuesIn(rude_origins()),
                         [](const testing::TestParamInfo<Rude>& info) {
                           std::string out;
                           for (const char c : info.param.name)
                             out += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return out;
                         });

}  // namespace
}  // namespace trawl::transfer
