#include "engine/engine_fixture.h"

namespace trawl::engine {
namespace {

using media::Part;
using media::Segment;

// Fetches with the curl tool: a plain second opinion on what a promise says.
class Fetcher {
 public:
  explicit Fetcher(fs::path folder) : folder_(std::move(folder)) {}

  void bring(const Part& part) const {
    std::string out;
    if (!part.url.empty()) out = get(part.url, std::nullopt, part);
    for (const Segment& segment : part.segments)
      out += decrypted(get(segment.url, segment.range, part), segment, part);
    write_file(folder_ / part.name, out);
  }

 private:
  static std::string get(const std::string& url, std::optional<media::ByteRange> range, const Part& part) {
    std::string command = "curl -sf";
    if (range) command += fmt::format(" -r {}-{}", range->first, range->last);
    for (const auto& [name, value] : part.headers) command += fmt::format(" -H '{}: {}'", name, value);
    return shell(command + " '" + url + "'");
  }

  std::string decrypted(std::string bytes, const Segment& segment, const Part& part) const {
    if (segment.iv.empty()) return bytes;
    std::string key = segment.key;
    if (key.empty()) {
      for (const unsigned char c : get(segment.key_url, std::nullopt, part)) key += fmt::format("{:02x}", c);
    }
    const fs::path file = folder_ / "encrypted";
    write_file(file, bytes);
    bytes =
        shell(fmt::format("openssl enc -d -aes-128-cbc -K {} -iv {} -in {}", key, segment.iv, file.string()));
    fs::remove(file);
    return bytes;
  }

  fs::path folder_;
};

class PromiseTest : public EngineTest {
 protected:
  Keep keep(const Request& what) {
    return [this, folder = fs::path(what.work_dir)](std::vector<Part> parts) -> Task<Result<void>> {
      promised = std::move(parts);
      for (const Part& part : promised) Fetcher(folder).bring(part);
      co_return Result<void>{};
    };
  }

  // The finished file of all three stages in one child.
  fs::path finished(const Request& what, Keep how) {
    const auto child = open(what);
    const auto plan = run(child->resolve(30s));
    if (!plan) throw std::runtime_error(plan.error().message);
    const auto transferred = run(child->transfer(30s, 30s, std::move(how)));
    if (!transferred) throw std::runtime_error(transferred.error().message);
    const auto files = run(child->finish(60s));
    if (!files) throw std::runtime_error(files.error().message);
    return fs::path(what.work_dir) / files->at(0).name;
  }

  // Streams, duration and every packet's hash.
  static std::string content(const fs::path& file) {
    return codecs(file) + container(file) +
           shell(fmt::format("ffprobe -v error -show_entries format=duration -of csv=p=0 '{0}'; "
                             "ffmpeg -v error -i '{0}' -map 0 -c copy -f streamhash - </dev/null",
                             file.string()));
  }

  void expect_same_as_delegated(const std::string& path, std::size_t parts) {
    start();
    const auto delegated = request(site.url(path)), native = request(site.url(path));
    const fs::path theirs = finished(delegated, {}), ours = finished(native, keep(native));
    EXPECT_EQ(promised.size(), parts);
    EXPECT_EQ(ours.filename(), theirs.filename());
    EXPECT_EQ(content(ours), content(theirs));
    EXPECT_EQ(read_file(ours), read_file(theirs));
  }

  std::vector<Part> promised;
};

TEST_F(PromiseTest, BringsADirectFileByteForByte) {
  make_media();
  expect_same_as_delegated("media.mp4", 1);
  const Part& part = promised.at(0);
  EXPECT_EQ(part.name, "media.mp4");
  EXPECT_EQ(part.url, site.url("media.mp4"));
  EXPECT_EQ(part.format_id, "mp4");
  EXPECT_NE(part.headers.at("User-Agent").find("Mozilla"), std::string::npos);
  EXPECT_TRUE(part.segments.empty());
}

TEST_F(PromiseTest, BringsHlsOfTransportStreamsAndRepairsTheContainer) {
  make_media("ffmpeg -v error -i media.mp4 -c copy -f hls -hls_time 0.5 list.m3u8");
  expect_same_as_delegated("list.m3u8", 1);
  EXPECT_GE(promised.at(0).segments.size(), 2u);
  EXPECT_EQ(container(fs::path(work.path()) / "2" / "media.mp4"), "mov,mp4,m4a,3gp,3g2,mj2");
}

TEST_F(PromiseTest, BringsHlsOfByteRangesAfterAnInitSegment) {
  make_media(
      "ffmpeg -v error -i media.mp4 -c copy -f hls -hls_time 0.5 -hls_segment_type fmp4 "
      "-hls_flags single_file list.m3u8");
  // This site does not know Range: one file for every range, cut by what the list says.
  start();
  const auto native = request(site.url("list.m3u8"));
  const auto child = open(native);
  ASSERT_TRUE(run(child->resolve(30s)));
  const auto whole = shell(fmt::format("cat {}/list.m4s", pages.path().string()));
  const auto moved = run(child->transfer(30s, 30s, [&](std::vector<Part> parts) -> Task<Result<void>> {
    std::string out;
    for (const Segment& segment : parts.at(0).segments) {
      EXPECT_TRUE(segment.range);
      out += whole.substr(segment.range->first, segment.range->last - segment.range->first + 1);
    }
    EXPECT_EQ(out, whole);  // The ranges are inclusive and leave nothing out.
    write_file(fs::path(native.work_dir) / parts[0].name, out);
    co_return Result<void>{};
  }));
  ASSERT_TRUE(moved) << moved.error().message;
  ASSERT_TRUE(run(child->finish(30s)));
  EXPECT_EQ(codecs(fs::path(native.work_dir) / "media.mp4"), "h264 aac ");
}

TEST_F(PromiseTest, TellsTheKeyAndTheVectorOfEncryptedHls) {
  write_file(pages.path() / "key.bin", "0123456789abcdef");
  write_file(pages.path() / "info",
             fmt::format("key.bin\n{}/key.bin\n000102030405060708090a0b0c0d0e0f\n", pages.path().string()));
  make_media("ffmpeg -v error -i media.mp4 -c copy -f hls -hls_time 0.5 -hls_key_info_file info list.m3u8");
  expect_same_as_delegated("list.m3u8", 1);
  EXPECT_EQ(promised.at(0).segments.at(0).key_url, site.url("key.bin"));
  EXPECT_EQ(promised[0].segments[0].iv, "000102030405060708090a0b0c0d0e0f");
}

TEST_F(PromiseTest, DerivesTheVectorFromTheMediaSequence) {
  write_file(pages.path() / "key.bin", "0123456789abcdef");
  make_media(
      "ffmpeg -v error -i media.mp4 -c copy -f hls -hls_time 0.5 -start_number 7 list.m3u8 && "
      "for i in 7 8; do openssl enc -aes-128-cbc -K 30313233343536373839616263646566 -iv $(printf %032x $i) "
      "-in list$i.ts "
      "-out e && "
      "mv e list$i.ts; done && sed -i '/MEDIA-SEQUENCE/a #EXT-X-KEY:METHOD=AES-128,URI=\"key.bin\"' "
      "list.m3u8");
  expect_same_as_delegated("list.m3u8", 1);
  EXPECT_EQ(promised.at(0).segments.at(1).iv, "00000000000000000000000000000008");
  EXPECT_EQ(codecs(work.path() / "2" / "media.mp4"), "h264 aac ");
}

TEST_F(PromiseTest, BringsTheStreamsOfDashAndMergesThem) {
  make_media("ffmpeg -v error -i media.mp4 -c copy -f dash -seg_duration 1 media.mpd");
  expect_same_as_delegated("media.mpd", 2);
  EXPECT_EQ(codecs(work.path() / "2" / "media.mp4"), "h264 aac ");
}

TEST_F(PromiseTest, GoesOnInAnotherChildWithWhatWasKept) {
  make_media("ffmpeg -v error -i media.mp4 -c copy -f hls -hls_time 0.5 list.m3u8");
  start();
  const auto what = request(site.url("list.m3u8")), whole = request(site.url("list.m3u8"));
  const fs::path theirs = finished(whole, {});
  auto child = open(what);
  const auto plan = run(child->resolve(30s));
  ASSERT_TRUE(plan);
  ASSERT_TRUE(run(child->transfer(30s, 30s, keep(what))));
  ::kill(-child->pid(), SIGKILL);
  child.reset();
  fs::remove_all(pages.path());  // Nothing can be fetched again.
  const auto files = run(open(what, *plan, true)->finish(30s));
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(read_file(fs::path(what.work_dir) / "media.mp4"), read_file(theirs));
}

TEST_F(PromiseTest, PromisesAgainInAnotherChildWhatIsNotThereYet) {
  make_media("ffmpeg -v error -i media.mp4 -c copy -f dash -seg_duration 1 media.mpd");
  start();
  const auto what = request(site.url("media.mpd"));
  auto child = open(what);
  const auto plan = run(child->resolve(30s));
  ASSERT_TRUE(plan);
  std::vector<Part> first;
  const auto killed = run(child->transfer(30s, 30s, [&](std::vector<Part> parts) -> Task<Result<void>> {
    first = std::move(parts);
    Fetcher(what.work_dir).bring(first.at(0));
    ::kill(-child->pid(), SIGKILL);
    co_await sleep_for(60s);  // Ended when the child is lost.
    co_return Result<void>{};
  }));
  ASSERT_FALSE(killed);
  EXPECT_EQ(killed.error().reason, "engine_crashed");
  child = open(what, *plan);
  const auto moved = run(child->transfer(30s, 30s, keep(what)));
  ASSERT_TRUE(moved) << moved.error().message;
  ASSERT_EQ(promised.size(), 1u);  // The other is whole already.
  EXPECT_EQ(encode(promised[0]), encode(first.at(1)));
  const auto files = run(child->finish(30s));
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(codecs(fs::path(what.work_dir) / "media.mp4"), "h264 aac ");
}

TEST_F(PromiseTest, EndsTheChildWhenAPromiseCannotBeKept) {
  make_media();
  start();
  const auto child = open(request(site.url("media.mp4")));
  const int group = child->pid();
  ASSERT_TRUE(run(child->resolve(30s)));
  const auto moved = run(child->transfer(30s, 30s, [](std::vector<Part>) -> Task<Result<void>> {
    co_return fail(Errc::no_space, "the disk is full", "no_space");
  }));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error(), (Error{Errc::no_space, "the disk is full", "no_space"}));
  EXPECT_TRUE(eventually([&] { return group_members(group).empty(); }));
  EXPECT_EQ(run(child->finish(30s)).error().reason, "no_space");
}

TEST_F(PromiseTest, RefusesToGoOnWithoutAPromisedFile) {
  make_media();
  start();
  const auto child = open(request(site.url("media.mp4")));
  ASSERT_TRUE(run(child->resolve(30s)));
  const auto moved = run(
      child->transfer(30s, 30s, [](std::vector<Part>) -> Task<Result<void>> { co_return Result<void>{}; }));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().reason, "parts_missing");
}

TEST_F(PromiseTest, WaitsForAKeepLongerThanAQuietChildMayTakeButNotLongerThanTheStage) {
  make_media();
  start();
  const auto what = request(site.url("media.mp4"));
  const auto patient = open(what);
  ASSERT_TRUE(run(patient->resolve(30s)));
  const auto slow = [&](std::vector<Part> parts) -> Task<Result<void>> {
    co_await sleep_for(1500ms);
    Fetcher(what.work_dir).bring(parts.at(0));
    co_return Result<void>{};
  };
  EXPECT_TRUE(run(patient->transfer(30s, 1s, slow)));

  const auto hasty = open(request(site.url("media.mp4")));
  ASSERT_TRUE(run(hasty->resolve(30s)));
  const auto moved = run(hasty->transfer(1s, 30s, slow));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().reason, "engine_timeout");
}

TEST_F(PromiseTest, StopsKeepingWhenTheDownloadIsCancelled) {
  make_media();
  start();
  const auto child = open(request(site.url("media.mp4")));
  ASSERT_TRUE(run(child->resolve(30s)));
  bool ended = false;
  const auto moved = run(child->transfer(30s, 30s, [&](std::vector<Part>) -> Task<Result<void>> {
    const std::unique_ptr<bool, void (*)(bool*)> end(&ended, [](bool* flag) { *flag = true; });
    child->terminate();
    co_await sleep_for(60s);
    co_return Result<void>{};
  }));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code, Errc::cancelled);
  EXPECT_TRUE(ended);
}

constexpr std::string_view kTwoWays = R"(
from yt_dlp.extractor.common import InfoExtractor

class TwoWaysIE(InfoExtractor):
    _VALID_URL = r'http://two-ways\.test/\?(?P<id>.+)'

    def _real_extract(self, url):
        site = self._match_id(url)
        self._set_cookie('127.0.0.1', 'session', 'secret', path='/v')
        headers = {'X-Token': 'abc', 'Cookie': 'header=this'}
        return {'id': '1', 'title': 'Two ways', 'formats': [
            {'format_id': 'v', 'url': site + 'video.mp4', 'vcodec': 'h264', 'acodec': 'none', 'http_headers': headers,
             'downloader_options': {'http_chunk_size': 1000}},
            {'format_id': 'a', 'url': site + 'audio.m4a', 'vcodec': 'none', 'acodec': 'aac', 'downloader_options': {'other': 1}}]}
)";

TEST_F(PromiseTest, BringsOnePartWhileYtDlpMovesTheOther) {
  make_media("ffmpeg -v error -i media.mp4 -c copy -an video.mp4 -c copy -vn audio.m4a");
  write_file(work.path() / "plugins/ways/yt_dlp_plugins/extractor/ways.py", kTwoWays);
  auto with = options();
  with.plugin_dirs = {work.path() / "plugins"};
  start(with);
  const auto what = request("http://two-ways.test/?" + site.url(""));
  const fs::path file = finished(what, keep(what));
  EXPECT_EQ(codecs(file), "h264 aac ");

  ASSERT_EQ(promised.size(), 1u);
  const Part& part = promised[0];
  EXPECT_EQ(part.name, "media.fv.mp4");
  EXPECT_EQ(part.chunk_size, 1000);
  EXPECT_EQ(part.headers.at("X-Token"), "abc");
  EXPECT_FALSE(part.headers.contains("Cookie"));
  const auto cookie = [&](std::string_view name) {
    const auto found = std::ranges::find(part.cookies, name, &media::Cookie::name);
    return found == part.cookies.end() ? "none" : json::serialize(encode(*found));
  };
  EXPECT_EQ(part.cookies.size(), 2u);
  EXPECT_EQ(
      cookie("session"),
      R"({"name":"session","value":"secret","domain":"127.0.0.1","host_only":true,"path":"/v","secure":false})");
  EXPECT_EQ(
      cookie("header"),  // yt-dlp scopes what an extractor puts into a header to the URL's host.
      R"({"name":"header","value":"this","domain":"127.0.0.1","host_only":true,"path":"/","secure":false})");
  EXPECT_EQ(progress.back().downloaded_bytes,
            static_cast<std::int64_t>(fs::file_size(pages.path() / "audio.m4a")));
  EXPECT_NE(log.find("media.fa.m4a is downloaded by yt-dlp itself: it has the downloader option other"),
            log.npos)
      << log;
}

TEST_F(PromiseTest, LeavesAListWithEmbeddedSegmentsToYtDlp) {
  make_media(
      "ffmpeg -v error -i media.mp4 -c copy -f hls -hls_time 0.5 list.m3u8 && "
      "sed -i \"s#^list0.ts#data:video/mp2t;base64,$(base64 -w0 list0.ts)#\" list.m3u8");
  start();
  const auto what = request(site.url("list.m3u8"));
  EXPECT_EQ(codecs(finished(what, keep(what))), "h264 aac ");
  EXPECT_TRUE(promised.empty());
  EXPECT_NE(log.find("itself: its URL begins with data:"), log.npos) << log;
}

TEST_F(PromiseTest, LeavesALiveStreamToYtDlp) {
  make_media(
      "ffmpeg -v error -stream_loop 59 -i media.mp4 -c copy -f hls -hls_time 20 -hls_list_size 0 list.m3u8 "
      "&& sed -i /ENDLIST/d list.m3u8");
  start();
  const auto what = request(site.url("list.m3u8"));
  const auto child = open(what);
  const auto plan = run(child->resolve(30s));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->live);
  std::optional<Result<void>> moved;
  background.spawn("transfer", [](Child& c, Keep how, std::optional<Result<void>>& out) -> Task<void> {
    out = co_await c.transfer(60s, 60s, std::move(how));
  }(*child, keep(what), moved));
  ASSERT_TRUE(eventually([&] { return !progress.empty() && progress.back().downloaded_bytes > 0; }, 20s));
  EXPECT_TRUE(promised.empty());
  child->terminate();
  ASSERT_TRUE(eventually([&] { return moved.has_value(); }));
  run(background.join());
}

TEST_F(PromiseTest, BringsSubtitlesOfOneFileWithTheMedium) {
  make_media();
  write_file(pages.path() / "words.vtt", "WEBVTT\n\n00:00.000 --> 00:01.500\nGood morning\n");
  write_file(pages.path() / "page.html",
             "<video><source src='media.mp4' type='video/mp4'><track kind='subtitles' src='words.vtt' "
             "srclang='en'></video>");
  start();
  auto what = request(site.url("page.html"));
  what.subtitle_languages = {"en"};
  what.embed_subtitles = true;
  const fs::path file = finished(what, keep(what));
  ASSERT_EQ(promised.size(), 2u);
  EXPECT_EQ(promised[0].name, "media.en.vtt");
  EXPECT_EQ(codecs(file), "h264 aac mov_text ");
  EXPECT_NE(promised[1].headers.at("Referer").find("page.html"), std::string::npos);
}

}  // namespace
}  // namespace trawl::engine
