#include "transfer/segment_part.h"

#include <algorithm>
#include <fstream>

#include <openssl/evp.h>

#include "async/blocking_pool.h"
#include "base/sha256.h"
#include "testing/temp_dir.h"
#include "transfer/segment_cipher.h"
#include "transfer/segment_journal.h"
#include "transfer/transfer_fixture.h"

namespace trawl::transfer {
namespace {

constexpr std::string_view kKeyHex = "2b7e151628aed2a6abf7158809cf4f3c";
constexpr std::string_view kIvHex = "000102030405060708090a0b0c0d0e0f";

// Bytes that differ between segments and at every place.
std::string content(std::size_t number, std::size_t size = 50'000) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>((i * 31 + number * 7 + i / 251) & 0xff);
  return out;
}

std::string encrypt(const std::string& plain) {
  const AesBlock key = parse_aes_block(kKeyHex).value();
  const AesBlock iv = parse_aes_block(kIvHex).value();
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                EVP_CIPHER_CTX_free);
  std::string out(plain.size() + 16, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  int size = 0;
  int rest = 0;
  EVP_EncryptInit_ex(context.get(), EVP_aes_128_cbc(), nullptr, key.data(), iv.data());
  EVP_EncryptUpdate(context.get(), bytes, &size, reinterpret_cast<const unsigned char*>(plain.data()),
                    static_cast<int>(plain.size()));
  EVP_EncryptFinal_ex(context.get(), bytes + size, &rest);
  out.resize(static_cast<std::size_t>(size + rest));
  return out;
}

std::size_t number_of(std::string_view target) {
  return std::stoul(std::string(target.substr(target.rfind('/') + 1)));
}

class SegmentPartTest : public TransferTest {
 protected:
  static Reply serve_all(const Request& request) { return {.body = content(number_of(request.target()))}; }

  media::Part part_of(const ScriptedOrigin& server, std::size_t count) {
    media::Part out{.name = "media.ts"};
    for (std::size_t i = 0; i < count; ++i)
      out.segments.push_back({.url = server.url("/" + std::to_string(i))});
    return out;
  }

  static std::string whole(std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += content(i);
    return out;
  }

  Result<void> move(const media::Part& part) {
    Result<void> out;
    run([&]() -> Task<void> { out = co_await start(part); });
    return out;
  }

  Task<Result<void>> start(media::Part part) {
    Budget budget(context.get_executor(), move_limits, 1);
    auto moved = co_await move_segments(*client, files, std::move(part), 0, folder.path(), budget, stop);
    last_progress = budget.progress(std::chrono::steady_clock::now());
    if (!moved) co_return fail(moved.error());
    digest = std::move(*moved);
    co_return Result<void>();
  }

  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
  }
  [[nodiscard]] bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }

  TempDir folder;
  BlockingPool files{2};
  MoveLimits move_limits{.retries = 1};
  Stop stop;
  media::Progress last_progress;
  std::optional<media::FileDigest> digest;
};

TEST_F(SegmentPartTest, JoinsTheSegmentsInOrderOverSeveralConnections) {
  const auto server = origin(serve_all);
  ASSERT_TRUE(move(part_of(*server, 40)));
  EXPECT_TRUE(read("media.ts") == whole(40));
  EXPECT_GT(server->most_open(), 1);
  EXPECT_EQ(server->requests().size(), 40U);
  EXPECT_FALSE(exists("media.ts.trawl"));
  EXPECT_FALSE(exists("media.ts.journal"));
  EXPECT_EQ(last_progress.downloaded_bytes, 40 * 50'000);
  EXPECT_EQ(last_progress.total_bytes, 40 * 50'000);
}

TEST_F(SegmentPartTest, HashesTheFileAsItComesWhenAskedTo) {
  const auto server = origin(serve_all);
  media::Part part = part_of(*server, 40);
  part.digest = true;
  ASSERT_TRUE(move(part));
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->name, "media.ts");
  EXPECT_EQ(digest->sha256, sha256_hex(whole(40)));
  EXPECT_EQ(digest->stamp.size, 40 * 50'000);
}

TEST_F(SegmentPartTest, TakesAWaitUntilADate) {
  int asked = 0;
  const auto server = origin([&](const Request& request) {
    if (asked++ > 0) return serve_all(request);
    return Reply{.status = 503, .headers = {{"Retry-After", "Wed, 21 Oct 2065 07:28:00 GMT"}}};
  });
  const auto moved = move(part_of(*server, 1));
  EXPECT_EQ(moved.error().reason, "origin_error") << "forty years are not waited for";
  EXPECT_EQ(asked, 1);
}

TEST_F(SegmentPartTest, AsksAgainForASegmentThatWasCut) {
  int cuts = 0;
  const auto server = origin([&](const Request& request) {
    Reply out = serve_all(request);
    if (number_of(request.target()) % 5 == 0 && cuts++ < 1) out.cut_after = 30'000;
    return out;
  });
  ASSERT_TRUE(move(part_of(*server, 12)));
  EXPECT_TRUE(read("media.ts") == whole(12));
  EXPECT_EQ(last_progress.downloaded_bytes, 12 * 50'000);
}

TEST_F(SegmentPartTest, FailsWhenASegmentIsMissingAndNeverSkipsIt) {
  const auto server = origin([](const Request& request) {
    return number_of(request.target()) == 7 ? Reply{.status = 404, .body = "no"} : serve_all(request);
  });
  const auto done = move(part_of(*server, 20));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().reason, "not_found");
  EXPECT_FALSE(exists("media.ts"));
  EXPECT_EQ(std::ranges::count_if(server->requests(), [](const Request& r) { return r.target() == "/7"; }),
            2);
}

TEST_F(SegmentPartTest, EndsTheOtherRequestsWhenOneFails) {
  const auto server = origin([](const Request& request) {
    if (number_of(request.target()) == 1) return Reply{.status = 403, .body = "no"};
    return Reply{.body = content(0), .stall_after = 10};
  });
  EXPECT_EQ(move(part_of(*server, 4)).error().reason, "origin_forbidden");
}

TEST_F(SegmentPartTest, DecryptsWithAGivenKeyAndFetchesOthersOncePerUrl) {
  const auto server = origin([](const Request& request) {
    if (request.target() == "/key") {
      const AesBlock key = parse_aes_block(kKeyHex).value();
      return Reply{.body = std::string(key.begin(), key.end())};
    }
    const std::size_t number = number_of(request.target());
    return Reply{.body = encrypt(content(number, 10'000 + number))};
  });
  auto part = part_of(*server, 12);
  for (auto& segment : part.segments) {
    segment.iv = kIvHex;
    if (number_of(segment.url) % 2 == 0)
      segment.key = kKeyHex;
    else
      segment.key_url = server->url("/key");
  }
  ASSERT_TRUE(move(part));
  std::string expected;
  for (std::size_t i = 0; i < 12; ++i) expected += content(i, 10'000 + i);
  EXPECT_TRUE(read("media.ts") == expected);
  EXPECT_EQ(std::ranges::count_if(server->requests(), [](const Request& r) { return r.target() == "/key"; }),
            1);
}

TEST_F(SegmentPartTest, RefusesAWrongKey) {
  const auto server = origin([](const Request&) { return Reply{.body = encrypt(content(0))}; });
  auto part = part_of(*server, 3);
  for (auto& segment : part.segments) {
    segment.key = kIvHex;
    segment.iv = kIvHex;
  }
  EXPECT_EQ(move(part).error().reason, "bad_decryption");
  EXPECT_FALSE(exists("media.ts"));
}

TEST_F(SegmentPartTest, RefusesAKeyOfAnotherLength) {
  const auto server = origin(
      [](const Request& request) { return Reply{.body = std::string(number_of(request.target()), 'k')}; });
  run([&]() -> Task<void> {
    for (const char* size : {"/0", "/15", "/17"}) {
      auto part = part_of(*server, 1);
      part.segments[0].key_url = server->url(size);
      part.segments[0].iv = kIvHex;
      const auto done = co_await start(part);
      EXPECT_EQ(done.error().reason, "bad_key") << size;
    }
  });
}

// An init segment and byte ranges of one resource, as fMP4 playlists have them.
media::Part ranges_of(const ScriptedOrigin& server) {
  media::Part out{.name = "media.ts"};
  for (const auto& range : {media::ByteRange{0, 999}, {1000, 29'999}, {30'000, 49'999}, {1000, 1999}}) {
    out.segments.push_back({.url = server.url("/0"), .range = range});
  }
  return out;
}

TEST_F(SegmentPartTest, JoinsByteRanges) {
  const auto server = origin([](const Request& request) {
    const std::string text(request["Range"]);
    const auto dash = text.find('-');
    const std::size_t first = std::stoul(text.substr(6, dash - 6));
    const std::size_t last = std::stoul(text.substr(dash + 1));
    return Reply{.status = 206,
                 .headers = {{"Content-Range", fmt::format("bytes {}-{}/50000", first, last)}},
                 .body = content(0).substr(first, last - first + 1)};
  });
  ASSERT_TRUE(move(ranges_of(*server)));
  EXPECT_TRUE(read("media.ts") == content(0) + content(0).substr(1000, 1000));
}

TEST_F(SegmentPartTest, CutsByteRangesOutOfWholeAnswers) {
  const auto server = origin(serve_all);
  ASSERT_TRUE(move(ranges_of(*server)));
  EXPECT_TRUE(read("media.ts") == content(0) + content(0).substr(1000, 1000));
}

TEST_F(SegmentPartTest, EnforcesTheByteLimitOnWhatArrives) {
  const auto server = origin([](const Request& request) {
    Reply out = serve_all(request);
    out.no_length = true;
    return out;
  });
  move_limits.max_bytes = 220'000;
  EXPECT_EQ(move(part_of(*server, 20)).error().code, Errc::too_large);
  EXPECT_LE(read("media.ts.trawl").size(), 220'000U);
}

TEST_F(SegmentPartTest, GoesOnAfterAStopWhereItWas) {
  const auto server = origin([&](const Request& request) {
    if (number_of(request.target()) == 50) stop.set();
    return serve_all(request);
  });
  const auto part = part_of(*server, 60);
  run([&]() -> Task<void> {
    const auto stopped = co_await start(part);
    EXPECT_EQ(stopped.error().code, Errc::cancelled);
    EXPECT_FALSE(exists("media.ts"));
    const auto journal = parse_segment_journal(read("media.ts.journal"));
    EXPECT_TRUE(journal && journal->next >= 50 - 32);  // What waits in the window is dropped.

    stop = Stop();
    server->answer_with(serve_all);
    EXPECT_TRUE(co_await start(part));
  });
  EXPECT_TRUE(read("media.ts") == whole(60));
  EXPECT_LE(server->requests().size(), 60U + 32U);
}

TEST_F(SegmentPartTest, CutsWhatTheJournalDoesNotVouchFor) {
  const auto server = origin(serve_all);
  const auto part = part_of(*server, 8);
  write("media.ts.trawl", content(0) + content(1) + "written but not synced when the power went");
  write("media.ts.journal",
        to_text(SegmentJournal{.version = 1, .list = digest_of(part), .next = 2, .offset = 100'000}));
  ASSERT_TRUE(move(part));
  EXPECT_TRUE(read("media.ts") == whole(8));
  EXPECT_EQ(server->requests().size(), 6U);
}

TEST_F(SegmentPartTest, StartsOverWithADamagedJournal) {
  const auto server = origin(serve_all);
  write("media.ts.trawl", std::string(200'000, 'x'));
  write("media.ts.journal", "{\"version\":1,\"next\":");
  ASSERT_TRUE(move(part_of(*server, 3)));
  EXPECT_TRUE(read("media.ts") == whole(3));
}

// Answers each request with 4 MiB at once, except that for the first segment, which waits.
class StalledFirst final : public HttpClient {
 public:
  explicit StalledFirst(asio::any_io_executor executor) : changed(std::move(executor)) {}

  Task<Result<Head>> fetch(transfer::Request get, Sink& sink, const Stop&, std::int64_t) override {
    asked = true;
    const std::size_t number = number_of(get.url);
    while (number == 0 && !released) co_await changed.wait();
    const std::string body = content(number, 4 << 20);
    Head head{.status = 200, .url = get.url};
    if (announce) head.headers["content-length"] = std::to_string(body.size());
    if (auto begun = sink.begin(head); !begun) co_return fail(begun.error());
    for (std::size_t at = 0; at < body.size(); at += 65536) {
      if (auto taken = sink.data(std::span(body).subspan(at, 65536)); !taken) co_return fail(taken.error());
      if (!released) held += 65536;
    }
    if (!released) ++came;
    co_return head;
  }
  void start() override {}
  void close() override {}

  Event changed;
  bool asked = false;
  bool released = false;
  bool announce = true;
  std::int64_t held = 0;  // Bytes taken while the first segment was outstanding.
  int came = 0;
};

class BoundedMemory : public SegmentPartTest, public testing::WithParamInterface<bool> {};

TEST_P(BoundedMemory, HoldsWhileTheFirstSegmentStalls) {
  StalledFirst stalled(context.get_executor());
  stalled.announce = GetParam();
  media::Part part{.name = "media.ts"};
  for (int i = 0; i < 40; ++i) part.segments.push_back({.url = "http://a/" + std::to_string(i)});
  Budget budget(context.get_executor(), move_limits, 1);
  Result<std::optional<media::FileDigest>> done = fail(Errc::internal, "did not end");
  asio::co_spawn(context, move_segments(stalled, files, part, 0, folder.path(), budget, stop),
                 [&](std::exception_ptr failure, Result<std::optional<media::FileDigest>> result) {
                   EXPECT_FALSE(failure);
                   done = std::move(result);
                 });
  // Once it asks, it needs nothing but the loop until the first segment comes.
  while (!stalled.asked) context.run_one();
  while (context.poll() > 0) continue;
  EXPECT_GT(stalled.came, 1);
  EXPECT_LE(stalled.held, std::int64_t{64} << 20);
  stalled.released = true;
  stalled.changed.notify_all();
  context.run();
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(std::filesystem::file_size(folder / "media.ts"), std::uintmax_t{40} * (4 << 20));
  EXPECT_TRUE(read("media.ts").substr(std::size_t{39} * (4 << 20)) == content(39, 4 << 20));
}
INSTANTIATE_TEST_SUITE_P(Lengths, BoundedMemory, testing::Bool(), [](const auto& info) {
  return info.param ? std::string("Announced") : std::string("NotAnnounced");
});

}  // namespace
}  // namespace trawl::transfer
