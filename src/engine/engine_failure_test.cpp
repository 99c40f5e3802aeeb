#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "engine/engine_fixture.h"

namespace trawl::engine {
namespace {

using asio::ip::tcp;

// Answers every request with the beginning of a video and then nothing; with an empty answer it only accepts.
class StallingOrigin {
 public:
  StallingOrigin(asio::io_context& context, std::string answer)
      : acceptor_(context, {asio::ip::address_v4::loopback(), 0}),
        scope_(context.get_executor()),
        answer_(std::move(answer)) {
    scope_.spawn("origin", accept());
  }
  std::string url() const {
    return fmt::format("http://127.0.0.1:{}/media.mp4", acceptor_.local_endpoint().port());
  }
  Task<void> close() { return scope_.close(); }

 private:
  Task<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(as_result);
      if (error) co_return;
      co_await asio::async_write(socket, asio::buffer(answer_), as_result);
      open_.push_back(std::move(socket));
    }
  }

  tcp::acceptor acceptor_;
  Scope scope_;
  std::string answer_;
  std::vector<tcp::socket> open_;
};

// Extractors that behave badly, for URLs under http://plugin.test/.
constexpr std::string_view kPlugin = R"(
import os, signal, subprocess, sys, time
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError

class RudeIE(InfoExtractor):
    _VALID_URL = r'http://plugin\.test/(?P<id>\w+)'

    def _real_extract(self, url):
        return getattr(self, self._match_id(url))()

    def flood(self):
        for _ in range(8000):
            os.write(2, b'x' * 1023 + b'\n')
        raise ExtractorError('flooded', expected=True)

    def stubborn(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen(['sleep', '1000'])
        print('deaf now', file=sys.stderr, flush=True)
        while True:
            time.sleep(1000)

    def crash(self):
        print('about to crash', file=sys.stderr, flush=True)
        os.abort()

    def hog(self):
        bytearray(2 << 30)

    def secrets(self):
        raise ExtractorError(f'{sorted(os.environ)} {os.getcwd() == os.environ["HOME"]} {oct(os.umask(0))} {os.listdir("/proc/self/fd")}',
                             expected=True)
)";

class RudeTest : public EngineTest {
 protected:
  void start_with_plugin() {
    write_file(work.path() / "plugins/rude/yt_dlp_plugins/extractor/rude.py", kPlugin);
    auto with = options();
    with.plugin_dirs = {work.path() / "plugins"};
    start(with);
  }
};

int parent_of(int pid) {
  return std::stoi(process_stat(pid).at(1));
}

TEST_F(EngineTest, SaysWhatIsMissing) {
  const auto reason = [&](EngineOptions with) {
    const auto failed = make_engine(context.get_executor(), std::move(with));
    const auto started = run(failed->start());
    run(failed->stop());
    EXPECT_FALSE(started);
    EXPECT_FALSE(failed->healthy());
    return started ? std::string() : started.error().reason + ": " + started.error().message;
  };
  auto with = options();
  with.python = "/nowhere/python3";
  EXPECT_EQ(reason(with),
            "engine_unavailable: /nowhere/python3 cannot be run; set engine.python to a Python 3");
  with = options();
  with.ytdlp_path = work.path();
  EXPECT_NE(reason(with).find("there is no yt-dlp in"), std::string::npos);
  with = options();
  with.host_script = work.path() / "broken.py";
  write_file(with.host_script, "raise SystemExit('this is the reason')");
  EXPECT_NE(reason(with).find("this is the reason"), std::string::npos);
}

TEST_F(EngineTest, ReportsAKilledChildAsCrashed) {
  start();
  StallingOrigin origin(context, "");
  const auto child = open(request(origin.url()));
  ::kill(child->pid(), SIGKILL);
  const auto plan = run(child->resolve(30s));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().reason, "engine_crashed");
  EXPECT_EQ(plan.error().code, Errc::unavailable);
  EXPECT_NE(plan.error().message.find("killed"), std::string::npos);
  EXPECT_EQ(run(child->transfer(1s, 1s, {})).error().reason, "engine_crashed");
  run(origin.close());
}

TEST_F(RudeTest, PutsTheLastWordsOfACrashIntoTheLog) {
  start_with_plugin();
  const auto failed = download(request("http://plugin.test/crash"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().reason, "engine_crashed");
  EXPECT_NE(failed.error().message.find("signal 6"), std::string::npos) << failed.error().message;
  EXPECT_NE(log.find("about to crash"), std::string::npos);
}

TEST_F(EngineTest, StopsAStageAtItsLimitAndEndsTheGroup) {
  start();
  StallingOrigin origin(context, "");
  const auto child = open(request(origin.url()));
  const int group = child->pid();
  ASSERT_FALSE(group_members(group).empty());
  const auto plan = run(child->resolve(1s));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().reason, "engine_timeout");
  EXPECT_EQ(plan.error().code, Errc::timeout);
  EXPECT_TRUE(eventually([&] { return group_members(group).empty(); }));
  run(origin.close());
}

TEST_F(EngineTest, StopsATransferThatMovesNothing) {
  start();
  StallingOrigin origin(context,
                        "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 1000000\r\n\r\n" +
                            std::string(4096, 'x'));
  const auto child = open(request(origin.url()));
  const auto plan = run(child->resolve(30s));
  ASSERT_TRUE(plan) << plan.error().message;
  const auto moved = run(child->transfer(30s, 1s, {}));
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().reason, "engine_timeout");
  EXPECT_NE(moved.error().message.find("no progress"), std::string::npos);
  run(origin.close());
}

TEST_F(RudeTest, SurvivesAFloodOnStandardError) {
  start_with_plugin();
  const auto failed = download(request("http://plugin.test/flood"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().reason, "media_unavailable") << failed.error().message;
  EXPECT_LT(std::ranges::count(log, '\n'), 400);
  EXPECT_NE(log.find("lines left out"), std::string::npos);
}

TEST_F(RudeTest, EndsTheWholeGroupOfAChildThatIgnoresTheSignal) {
  start_with_plugin();
  auto child = open(request("http://plugin.test/stubborn"));
  const int group = child->pid();
  std::optional<Result<media::Plan>> plan;
  background.spawn("resolve", [](Child& c, std::optional<Result<media::Plan>>& out) -> Task<void> {
    out = co_await c.resolve(60s);
  }(*child, plan));
  ASSERT_TRUE(eventually([&] { return log.find("deaf now") != log.npos; }));
  EXPECT_EQ(group_members(group).size(), 2u);
  child->terminate();
  ASSERT_TRUE(eventually([&] { return plan.has_value(); }));
  EXPECT_EQ(plan->error().code, Errc::cancelled);
  EXPECT_TRUE(eventually([&] { return group_members(group).empty(); }));
  run(background.join());
}

TEST_F(EngineTest, EndsFfmpegWithTheChildItWorksFor) {
  // Long enough for ffmpeg to begin at the live edge; without its end the list is live for ever.
  make_media(
      "ffmpeg -v error -stream_loop 59 -i media.mp4 -c copy -f hls -hls_time 20 -hls_list_size 0 list.m3u8 "
      "&& "
      "sed -i /ENDLIST/d list.m3u8");
  start();
  auto child = open(request(site.url("list.m3u8")));
  const int group = child->pid();
  const auto plan = run(child->resolve(30s));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->live);
  std::optional<Result<void>> moved;
  background.spawn("transfer", [](Child& c, std::optional<Result<void>>& out) -> Task<void> {
    out = co_await c.transfer(60s, 60s, {});
  }(*child, moved));
  ASSERT_TRUE(eventually([&] { return !progress.empty() && progress.back().downloaded_bytes > 0; }, 20s));
  EXPECT_EQ(group_members(group).size(), 2u);
  child->terminate();
  ASSERT_TRUE(eventually([&] { return moved.has_value(); }));
  EXPECT_EQ(moved->error().code, Errc::cancelled);
  EXPECT_TRUE(eventually([&] { return group_members(group).empty(); }, 3s));
  run(background.join());
}

TEST_F(EngineTest, ReplacesAHostThatHangs) {
  start();
  const auto first = open(request("http://127.0.0.1:1/"));
  const int host = parent_of(first->pid());
  ::kill(host, SIGSTOP);
  const auto refused = run(engine->open(request("http://127.0.0.1:1/"), listener(), {}, false));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "engine_unavailable");
  const auto second = open(request("http://127.0.0.1:1/"));
  EXPECT_NE(parent_of(second->pid()), host);
}

TEST_F(RudeTest, DroppingAChildKillsItsGroup) {
  start_with_plugin();
  auto child = open(request("http://plugin.test/stubborn"));
  const int group = child->pid();
  background.spawn("resolve", [](Child& c) -> Task<void> {
    const auto given_up = co_await c.resolve(60s);
    EXPECT_EQ(given_up.error().code, Errc::cancelled);
  }(*child));
  ASSERT_TRUE(eventually([&] { return log.find("deaf now") != log.npos; }));
  child.reset();
  EXPECT_TRUE(eventually([&] { return group_members(group).empty(); }, 3s));
  run(background.join());
}

TEST_F(RudeTest, BoundsTheMemoryOfAnExtraction) {
  start_with_plugin();
  const auto failed = download(request("http://plugin.test/hog"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().reason, "out_of_memory") << failed.error().message;
}

TEST_F(RudeTest, GivesAChildNothingOfTheServersSurroundings) {
  start_with_plugin();
  const auto failed = download(request("http://plugin.test/secrets"));
  ASSERT_FALSE(failed);
  // Descriptors: three standard streams, the channel, and the one that lists them.
  EXPECT_NE(
      failed.error().message.find("['HOME', 'LANG', 'PATH', 'TMPDIR'] True 0o77 ['0', '1', '2', '3', '4']"),
      std::string::npos)
      << failed.error().message;
}

TEST_F(EngineTest, StartsAHostThatDiedAgain) {
  make_media();
  start();
  StallingOrigin origin(context, "");
  const auto child = open(request(origin.url()));
  const int group = child->pid();
  ::kill(parent_of(group), SIGKILL);
  const auto plan = run(child->resolve(30s));
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().reason, "engine_crashed");
  EXPECT_TRUE(eventually([&] { return group_members(group).empty(); }));

  const auto files = download(request(site.url("media.mp4")));
  EXPECT_TRUE(files) << files.error().message;
  EXPECT_TRUE(engine->healthy());
  run(origin.close());
}

TEST_F(EngineTest, StoppingFailsWhatIsHeldAndLeavesNoProcess) {
  start();
  StallingOrigin origin(context, "");
  const auto child = open(request(origin.url()));
  const int group = child->pid(), host = parent_of(group);
  std::optional<Result<media::Plan>> plan;
  background.spawn("resolve", [](Child& c, std::optional<Result<media::Plan>>& out) -> Task<void> {
    out = co_await c.resolve(60s);
  }(*child, plan));
  run(engine->stop());
  run(background.join());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->error().code, Errc::cancelled);
  EXPECT_TRUE(group_members(group).empty());
  EXPECT_TRUE(process_stat(host).empty());
  EXPECT_EQ(run(engine->open(request(origin.url()), listener(), {}, false)).error().code, Errc::cancelled);
  run(origin.close());
}

}  // namespace
}  // namespace trawl::engine
