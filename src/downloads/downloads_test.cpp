#include <gtest/gtest.h>

#include "downloads/engine_request.h"
#include "downloads/metadata.h"
#include "downloads/naming.h"

namespace trawl::downloads {
namespace {

using media::Kind;

TEST(Metadata, LeavesOutWhatASiteGaveTheWrongTypeFor) {
  const auto info = parse_json(
      R"({"title":"T","duration":12.5,"view_count":3.0,"like_count":"many","tags":["a",7],"uploader":null})");
  const VideoMetadata metadata = read_metadata(info->as_object());
  EXPECT_EQ(metadata.title, "T");
  EXPECT_EQ(metadata.duration, 12.5);
  EXPECT_EQ(metadata.view_count, 3);
  EXPECT_EQ(metadata.like_count, std::nullopt);
  EXPECT_EQ(metadata.uploader, std::nullopt);
  EXPECT_EQ(metadata.tags, std::vector<std::string>{"a"});
}

media::Plan plan_of(std::string title) {
  media::Plan plan;
  plan.title = std::move(title);
  plan.id = "x1";
  return plan;
}

TEST(NameFiles, NamesCompanionsAfterTheMedium) {
  const auto files = name_files({}, plan_of("A / B"),
                                {{"media.en.srt", Kind::subtitle, "en"},
                                 {"media.mkv", Kind::video, ""},
                                 {"media.info.json", Kind::info, ""},
                                 {"media.webp", Kind::thumbnail, ""}},
                                {}, "r");
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 4u);
  EXPECT_EQ((*files)[0].path, "videos/A_B-x1.mkv");
  EXPECT_EQ((*files)[1].path, "videos/A_B-x1.en.srt");
  EXPECT_EQ((*files)[2].path, "videos/A_B-x1.info.json");
  EXPECT_EQ((*files)[3].path, "videos/A_B-x1.webp");
}

TEST(NameFiles, FailsWhenNothingPlayableCameOut) {
  EXPECT_EQ(name_files({}, plan_of("T"), {{"media.jpg", Kind::thumbnail, ""}}, {}, "r").error().reason,
            "no_media");
}

TEST(EngineRequest, ExtractsAudioOrChoosesAContainerNeverBoth) {
  media::DownloadRequest request;
  request.url = " http://a/ ";
  EXPECT_EQ(engine_request(request).url, "http://a/");
  EXPECT_EQ(engine_request(request).container, "mp4");
  EXPECT_EQ(engine_request(request).audio_format, "");
  request.quality = media::Quality::audio;
  request.audio_quality = "best";
  EXPECT_EQ(engine_request(request).container, "");
  EXPECT_EQ(engine_request(request).audio_format, "mp3");
  EXPECT_EQ(engine_request(request).audio_quality, "0");
}

TEST(EngineRequest, FetchesSubtitlesToEmbedThemWithoutKeepingThem) {
  media::DownloadRequest request;
  EXPECT_TRUE(engine_request(request).subtitle_languages.empty());
  request.embed_subtitles = true;
  EXPECT_EQ(engine_request(request).subtitle_languages, std::vector<std::string>{"en"});
  EXPECT_FALSE(engine_request(request).write_subtitles);
}

}  // namespace
}  // namespace trawl::downloads
