#include "downloads/presets.h"

#include <gtest/gtest.h>

namespace trawl::downloads {
namespace {

json::object object(std::string_view text) {
  return parse_json(text).value().get_object();
}

TEST(Presets, FillOnlyWhatABodyLeavesOpen) {
  const auto merged =
      with_preset(object(R"({"url": "u", "quality": "720p", "subtitles": false})"),
                  object(R"({"quality": "best", "download_subtitles": true, "write_nfo": true})"));
  EXPECT_EQ(merged, object(R"({"url": "u", "quality": "720p", "subtitles": false, "write_nfo": true})"));
}

TEST(Presets, GiveWayWhereABodyAnswersTheSameQuestionOtherwise) {
  const json::object preset = object(R"({"custom_format": "best", "audio_only": true, "audio_format": "opus",
                                         "sponsorblock_remove": ["sponsor"]})");
  EXPECT_EQ(with_preset(object(R"({"quality": "720p"})"), preset),
            object(R"({"quality": "720p", "audio_format": "opus", "sponsorblock_remove": ["sponsor"]})"));
  EXPECT_EQ(with_preset(object(R"({"custom_format": "137", "section_start": 3})"), preset),
            object(R"({"custom_format": "137", "section_start": 3, "audio_format": "opus"})"));
  EXPECT_EQ(with_preset(object(R"({"write_nfo": true})"), preset).size(), 5U);
}

TEST(Presets, AreReadFromAFile) {
  const auto presets = read_presets(R"({"archive": {"description": "all of it", "video_format": "mkv"}})");
  ASSERT_TRUE(presets);
  const Preset& archive = presets->at("archive");
  EXPECT_EQ(archive.description, "all of it");
  EXPECT_EQ(archive.options, object(R"({"video_format": "mkv"})"));
  EXPECT_TRUE(archive.configured);
}

TEST(Presets, OfAFileAreRefusedWithTheirName) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"a b": {}})", "preset a b"},
      {R"({"x": 1})", "preset x"},
      {R"({"x": {"video_format": "exe"}})", "video_format"},
      {R"({"x": {"exec": "id"}})", "exec"},
      {R"({"x": {"section_start": 5, "section_end": 1}})", "section_end"},
      {R"([])", "object"},
      {R"({)", ""}};
  for (const auto& [text, says] : wrong) {
    const auto presets = read_presets(text);
    ASSERT_FALSE(presets) << text;
    EXPECT_NE(presets.error().message.find(says), std::string::npos) << presets.error().message;
  }
}

}  // namespace
}  // namespace trawl::downloads
