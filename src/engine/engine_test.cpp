#include "engine/engine_fixture.h"

namespace trawl::engine {
namespace {

using media::Kind;
using media::Produced;

std::vector<std::string> names(const Result<std::vector<Produced>>& files) {
  std::vector<std::string> out;
  if (!files) return {files.error().reason + ": " + files.error().message};
  for (const auto& file : *files) out.push_back(file.name);
  return out;
}

using Names = std::vector<std::string>;

TEST_F(EngineTest, FetchesADirectFileThroughAllStages) {
  make_media();
  start();
  EXPECT_NE(engine->versions().ytdlp, "");
  EXPECT_NE(engine->versions().ffmpeg, "");
  const auto what = request(site.url("media.mp4"));
  const auto child = open(what);

  const auto plan = run(child->resolve(30s));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->extractor, "Generic");
  EXPECT_EQ(plan->title, "media");
  ASSERT_EQ(plan->transfers.size(), 1u);
  EXPECT_EQ(plan->transfers[0].url, what.url);
  EXPECT_EQ(plan->engine_version, engine->versions().ytdlp);
  EXPECT_TRUE(fs::is_empty(what.work_dir));

  ASSERT_TRUE(run(child->transfer(30s, 30s, {})));
  const auto files = run(child->finish(30s));
  ASSERT_EQ(names(files), Names{"media.mp4"});
  EXPECT_EQ(files->at(0).kind, Kind::video);
  EXPECT_EQ(read_file(fs::path(what.work_dir) / "media.mp4"), read_file(pages.path() / "media.mp4"));
  const auto size = static_cast<std::int64_t>(fs::file_size(pages.path() / "media.mp4"));
  ASSERT_FALSE(progress.empty());
  EXPECT_EQ(progress.back().downloaded_bytes, size);
  EXPECT_EQ(progress.back().total_bytes, size);
  EXPECT_NE(log.find("[generic]"), log.npos);
}

TEST_F(EngineTest, MakesOneMp4OfTheSegmentsOfHls) {
  make_media("ffmpeg -v error -i media.mp4 -c copy -f hls -hls_time 0.5 list.m3u8");
  start();
  const auto what = request(site.url("list.m3u8"));
  EXPECT_EQ(names(download(what)), Names{"media.mp4"});
  EXPECT_EQ(codecs(fs::path(what.work_dir) / "media.mp4"), "h264 aac ");
  EXPECT_EQ(container(fs::path(what.work_dir) / "media.mp4"), "mov,mp4,m4a,3gp,3g2,mj2");
}

TEST_F(EngineTest, RepairsTheContainerInAReplayToo) {
  make_media("ffmpeg -v error -i media.mp4 -c copy -f hls -hls_time 0.5 list.m3u8");
  start();
  const auto what = request(site.url("list.m3u8"));
  auto child = open(what);
  const auto plan = run(child->resolve(30s));
  ASSERT_TRUE(plan);
  ASSERT_TRUE(run(child->transfer(30s, 30s, {})));
  child.reset();
  EXPECT_EQ(container(fs::path(what.work_dir) / "media.mp4"), "mpegts");
  EXPECT_EQ(names(run(open(what, *plan, true)->finish(30s))), Names{"media.mp4"});
  EXPECT_EQ(container(fs::path(what.work_dir) / "media.mp4"), "mov,mp4,m4a,3gp,3g2,mj2");
}

TEST_F(EngineTest, MergesTheSeparateVideoAndAudioOfDash) {
  make_media("ffmpeg -v error -i media.mp4 -c copy -f dash -seg_duration 1 media.mpd");
  start();
  const auto what = request(site.url("media.mpd"));
  EXPECT_EQ(names(download(what)), Names{"media.mp4"});
  EXPECT_EQ(codecs(fs::path(what.work_dir) / "media.mp4"), "h264 aac ");
  for (std::size_t i = 1; i < progress.size(); ++i) {
    EXPECT_GE(progress[i].downloaded_bytes, progress[i - 1].downloaded_bytes);
  }
}

TEST_F(EngineTest, ExtractsTheAudioAsMp3) {
  make_media();
  start();
  auto what = request(site.url("media.mp4"));
  what.audio_format = "mp3";
  what.audio_quality = "96";
  const auto files = download(what);
  ASSERT_EQ(names(files), Names{"media.mp3"});
  EXPECT_EQ(files->at(0).kind, Kind::audio);
  EXPECT_EQ(codecs(fs::path(what.work_dir) / "media.mp3"), "mp3 ");
}

class PageTest : public EngineTest {
 protected:
  void make_page() {
    make_media("ffmpeg -v error -i media.mp4 -frames:v 1 cover.jpg");
    write_file(pages.path() / "words.vtt", "WEBVTT\n\n00:00.000 --> 00:01.500\nGood morning\n");
    write_file(pages.path() / "page.html",
               "<html><head><title>A page</title></head><body><video poster='cover.jpg'><source "
               "src='media.mp4' type='video/mp4'>"
               "<track kind='subtitles' src='words.vtt' srclang='en'></video></body></html>");
  }
};

TEST_F(PageTest, EmbedsSubtitlesAndLeavesNoFileOfThem) {
  make_page();
  start();
  auto what = request(site.url("page.html"));
  what.subtitle_languages = {"en"};
  what.embed_subtitles = true;
  EXPECT_EQ(names(download(what)), Names{"media.mp4"});
  EXPECT_EQ(codecs(fs::path(what.work_dir) / "media.mp4"), "h264 aac mov_text ");
  EXPECT_FALSE(fs::exists(fs::path(what.work_dir) / "media.en.vtt"));
}

TEST_F(PageTest, WritesWhatBelongsToTheMediumAsFilesOfTheirOwn) {
  make_page();
  start();
  auto what = request(site.url("page.html"));
  what.subtitle_languages = {"en"};
  what.write_subtitles = true;
  what.subtitle_format = "srt";
  what.write_thumbnail = what.embed_thumbnail = true;
  what.thumbnail_format = "png";
  what.write_info_json = true;
  what.embed_metadata = true;
  what.container = "mkv";
  const auto files = download(what);
  ASSERT_TRUE(files) << files.error().message << log;
  EXPECT_EQ(names(files), (Names{"media.mkv", "media.en.srt", "media.png", "media.info.json"}));
  EXPECT_EQ(files->at(1).kind, Kind::subtitle);
  EXPECT_EQ(files->at(1).language, "en");
  EXPECT_EQ(files->at(2).kind, Kind::thumbnail);
  EXPECT_EQ(files->at(3).kind, Kind::info);
  EXPECT_NE(read_file(fs::path(what.work_dir) / "media.en.srt").find("Good morning"), std::string::npos);
  EXPECT_NE(read_file(fs::path(what.work_dir) / "media.info.json").find("\"formats\""), std::string::npos);
}

TEST_F(PageTest, FinishesInAnotherChildWithAStoredPlan) {
  make_page();
  shell(fmt::format(
      "cd {} && ffmpeg -v error -i media.mp4 -c copy -f hls -hls_time 0.5 list.m3u8 </dev/null 2>&1",
      pages.path().string()));
  write_file(pages.path() / "page.html",
             "<video poster='cover.jpg'><source src='list.m3u8' type='application/x-mpegurl'>"
             "<track kind='subtitles' src='words.vtt' srclang='en'></video>");
  start();
  auto what = request(site.url("page.html"));
  what.subtitle_languages = {"en"};
  what.subtitle_format = "srt";
  what.embed_subtitles = what.write_subtitles = what.write_thumbnail = true;
  auto child = open(what);
  const auto plan = run(child->resolve(30s));
  ASSERT_TRUE(plan) << plan.error().message;
  child = open(what, *plan);
  const auto transferred = run(child->transfer(30s, 30s, {}));
  ASSERT_TRUE(transferred) << transferred.error().message;
  child.reset();

  fs::remove_all(pages.path());  // Nothing can be fetched again.
  const auto files = run(open(what, *plan, true)->finish(30s));
  EXPECT_EQ(names(files), (Names{"media.mp4", "media.en.srt", "media.jpg"})) << log;
  EXPECT_EQ(codecs(fs::path(what.work_dir) / "media.mp4"), "h264 aac mov_text ");
}

TEST_F(PageTest, SaysThatTheTransferredPartsAreGone) {
  make_page();
  start();
  const auto what = request(site.url("media.mp4"));
  const auto plan = run(open(what)->resolve(30s));
  ASSERT_TRUE(plan);
  EXPECT_EQ(run(open(what, *plan, true)->finish(30s)).error().reason, "parts_missing");
}

TEST_F(PageTest, FollowsAPageWithOneMediumAndRefusesAPlaylist) {
  make_page();
  write_file(pages.path() / "two.html", "<video src='media.mp4'></video><video src='other.mp4'></video>");
  start();
  EXPECT_EQ(names(download(request(site.url("page.html")))), Names{"media.mp4"});
  const auto playlist = download(request(site.url("two.html")));
  ASSERT_FALSE(playlist);
  EXPECT_EQ(playlist.error().reason, "is_a_playlist");
  EXPECT_EQ(playlist.error().code, Errc::unsupported);
}

TEST_F(EngineTest, NamesTheReasonOfAFailure) {
  make_media("head -c 300000 /dev/zero >> media.mp4");
  write_file(pages.path() / "text.html", "<p>Nothing to see</p>");
  start();
  const auto reason = [&](Request what) { return download(what).error().reason; };
  EXPECT_EQ(reason(request(site.url("absent.mp4"))), "http_404");
  EXPECT_EQ(reason(request(site.url("text.html"))), "unsupported_url");
  EXPECT_EQ(reason(request("http://127.0.0.1:1/media.mp4")), "network_error");
  auto what = request(site.url("media.mp4"));
  what.format = "best[height>99999]";
  EXPECT_EQ(reason(what), "format_not_available");
  what.format = "best[[";
  EXPECT_EQ(reason(what), "bad_format_selector");
  what.format = "";
  what.max_bytes = 100'000;
  EXPECT_EQ(reason(what), "too_large");
  what.max_bytes = 0;
  what.container = "exe";
  EXPECT_EQ(reason(what), "bad_request");
}

TEST_F(EngineTest, RefusesAFileThatListsOtherFiles) {
  write_file(pages.path() / "media.mp4",
             "ffconcat version 1.0\nfile /etc/hostname\n" + std::string(2000, '#'));
  start();
  const auto files = download(request(site.url("media.mp4")));
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().reason, "unsafe_content") << files.error().message;
}

TEST_F(EngineTest, RunsTheYtdlpItIsPointedTo) {
  make_media();
  const auto zip = work.path() / "yt-dlp";
  // A copy with its own version inside a zip file, as yt-dlp's releases are.
  const auto said =
      shell(fmt::format("cd {} && /usr/bin/python3 - 2>&1 <<'END'\n"
                        "import os, yt_dlp, zipfile\n"
                        "root = os.path.dirname(os.path.dirname(yt_dlp.__file__))\n"
                        "with zipfile.ZipFile('yt-dlp', 'w') as out:\n"
                        "    for folder, _, files in os.walk(os.path.dirname(yt_dlp.__file__)):\n"
                        "        for name in files:\n"
                        "            path = os.path.join(folder, name)\n"
                        "            if name == 'version.py':\n"
                        "                out.writestr(os.path.relpath(path, root), "
                        "open(path).read().replace(yt_dlp.version.__version__, '2099.01.01'))\n"
                        "            elif name.endswith('.py'):\n"
                        "                out.write(path, os.path.relpath(path, root))\n"
                        "END\n",
                        work.path().string()));
  ASSERT_EQ(said, "");
  auto with = options();
  with.ytdlp_path = zip;
  start(with);
  EXPECT_EQ(engine->versions().ytdlp, "2099.01.01");
  EXPECT_EQ(names(download(request(site.url("media.mp4")))), Names{"media.mp4"});
}

TEST_F(EngineTest, ListsAPlaylistPageByPageAndDownloadsAnEntryOfIt) {
  make_media("cp media.mp4 b.mp4");
  const auto video = [](std::string_view name) { return fmt::format("<video src=\"{}\"></video>", name); };
  write_file(pages.path() / "list.html",
             fmt::format("<html><head><title>Two</title></head><body>{}{}</body></html>", video("media.mp4"),
                         video("b.mp4")));
  start();
  const auto child = open(request(site.url("list.html")));
  const auto first = run(child->list(1, 30s));
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_EQ(first->entries.size(), 1u);
  EXPECT_FALSE(first->last);
  const auto second = run(child->list(1, 30s));
  ASSERT_TRUE(second) << second.error().message;
  ASSERT_EQ(second->entries.size(), 1u);
  EXPECT_EQ(second->entries[0].index, 2);
  const auto end = run(child->list(1, 30s));
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->entries.empty() && end->last);
  EXPECT_EQ(run(child->list(1, 30s)).error().code, Errc::conflict);

  auto entry = request(second->entries[0].url);
  entry.entry = {{"target", second->entries[0].target},
                 {"playlist", {{"playlist", "Two"}, {"playlist_index", 2}}}};
  const auto plan = run(open(entry)->resolve(30s));
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->transfers[0].url, site.url("b.mp4"));
  EXPECT_EQ(plan->info.at("playlist_index"), 2);
  EXPECT_EQ(plan->info.at("playlist"), "Two");
}

TEST_F(EngineTest, DoesNotListASingleMedium) {
  make_media();
  start();
  EXPECT_EQ(run(open(request(site.url("media.mp4")))->list(10, 30s)).error().reason, "not_a_playlist");
}

}  // namespace
}  // namespace trawl::engine
