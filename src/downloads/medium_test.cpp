#include "downloads/medium.h"

#include <gtest/gtest.h>

namespace trawl::downloads {
namespace {

Medium read(std::string_view info) {
  media::Plan plan;
  plan.extractor = "Site";
  plan.info = parse_json(info)->as_object();
  return medium_of(plan);
}

TEST(Medium, ShowsChoicesWithoutTheirAddressesHeadersOrCookies) {
  const Medium medium = read(R"({"title": "T", "cookies": "SECRET", "http_headers": {"Cookie": "SECRET"},
    "formats": [{"format_id": "18", "url": "http://x/?sig=SECRET", "vcodec": "avc1", "acodec": "mp4a", "height": 360,
                 "cookies": "SECRET", "fragments": [{"url": "SECRET"}], "tbr": 96.5, "filesize": 12.0}],
    "subtitles": {"en": [{"ext": "vtt", "url": "SECRET"}, {"ext": "vtt"}, {"ext": "srt"}], "de": "odd"}})");
  EXPECT_EQ(json::serialize(encode(medium)).find("SECRET"), std::string::npos);
  ASSERT_EQ(medium.formats.size(), 1u);
  EXPECT_EQ(medium.formats.front().height, 360);
  EXPECT_EQ(medium.formats.front().filesize, 12);
  EXPECT_EQ(medium.subtitles.at("en"), (std::vector<std::string>{"vtt", "srt"}));
  EXPECT_EQ(medium.metadata.extractor, "Site");
}

TEST(Medium, KnowsTheBestOfEachSortAndRecommendsAPreset) {
  const Medium medium = read(R"({"formats": [
    {"format_id": "a", "vcodec": "none", "acodec": "opus"},
    {"format_id": "s", "vcodec": "avc1", "acodec": "aac", "height": 480},
    {"format_id": "m", "vcodec": "avc1", "acodec": "none", "height": 900},
    {"format_id": "v", "vcodec": "vp9", "acodec": "none", "height": 2160}]})");
  EXPECT_EQ(best_format(medium.formats, true, true)->format_id, "s");
  EXPECT_EQ(best_format(medium.formats, true, false)->format_id, "v");
  EXPECT_EQ(best_format(medium.formats, false, true)->format_id, "a");
  EXPECT_EQ(best_format({}, true, true), nullptr);
  EXPECT_EQ(recommended_quality(medium.formats), "720p");
  EXPECT_EQ(recommended_quality({medium.formats.front()}), "audio");
  EXPECT_EQ(recommended_quality({}), "best");
}

}  // namespace
}  // namespace trawl::downloads
