#include <gtest/gtest.h>

#include "media/options.h"
#include "media/path_template.h"

namespace trawl::media {
namespace {

TEST(FormatSelector, HoldsEveryAlternativeButTheLastToThePresetsHeight) {
  DownloadOptions options;
  options.quality = Quality::p720;
  EXPECT_EQ(format_selector(options), "bestvideo[height<=720]+bestaudio/best[height<=720]/best");
}

TEST(FormatSelector, PrefersTheCallersOwnSelector) {
  DownloadOptions options;
  options.quality = Quality::p720;
  options.custom_format = " 137+140 ";
  EXPECT_EQ(format_selector(options), "137+140");
}

TEST(FormatSelector, TakesSoundOnlyWhenEitherFieldAsksForIt) {
  DownloadOptions options;
  options.quality = Quality::audio;
  EXPECT_EQ(format_selector(options), "bestaudio/best");
  options = {};
  options.audio_only = true;
  EXPECT_EQ(format_selector(options), "bestaudio/best");
}

TEST(CustomFormat, AllowsTheSelectorGrammarAndNothingOfAShell) {
  for (const char* good :
       {"bestvideo[height<=720]+bestaudio/best", "22", "bv*[ext=mp4]+ba[ext=m4a]", "best[filesize<50M]"}) {
    EXPECT_EQ(check_custom_format(good), std::nullopt) << good;
  }
  for (const char* bad : {"", "  ", "-exec", "best;id", "best|x", "a&b", "`id`", "be\nst"}) {
    EXPECT_TRUE(check_custom_format(bad)) << bad;
  }
}

TEST(Language, FollowsBcp47) {
  for (const char* good : {"en", "pt-BR", "zh-Hans", "zh-Hant-TW", "all", "fil"})
    EXPECT_EQ(check_language(good), std::nullopt) << good;
  for (const char* bad : {"", "e", "english", "en_US", "live_chat", "en-", "../x", "12"})
    EXPECT_TRUE(check_language(bad)) << bad;
}

TEST(HttpUrl, NeedsSchemeAndHost) {
  for (const char* good : {"http://a", "https://a/b?c", "  HTTPS://A  "})
    EXPECT_EQ(check_http_url(good), std::nullopt) << good;
  for (const char* bad :
       {"", "ftp://a", "http://", "http:///x", "https://?q", "file:///etc/passwd", "javascript:1", "-o x"}) {
    EXPECT_TRUE(check_http_url(bad)) << bad;
  }
}

TEST(Request, RefusesEachFieldByItsOwnRule) {
  const auto body = parse_json(R"({"url":"ftp://x","quality":"9000p","timeout_sec":59,"audio_quality":"7",
      "subtitle_languages":["pt-BR","nonsense!"],"path_template":"../x","priority":11,"custom_format":"a;b"})");
  const auto request = decode<DownloadRequest>(*body);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().size(), 8u);
}

const TemplateValues kValues{
    {"title", "A/B: \"caf\xC3\xA9\" .."}, {"id", "x1"}, {"ext", "mp4"}, {"playlist_index", "7"}};

TEST(PathTemplate, ExpandsBothSpellings) {
  EXPECT_EQ(expand_path_template("v/{id}.{ext}", kValues), "v/x1.mp4");
  EXPECT_EQ(expand_path_template("v/%(id)s-%(playlist_index)03d.%(ext)s", kValues), "v/x1-007.mp4");
  EXPECT_EQ(expand_path_template("{playlist_index:03d}-{uploader}.{ext}", kValues), "007-NA.mp4");
}

TEST(PathTemplate, CleansValuesSoThatNoneAddsASegment) {
  EXPECT_EQ(expand_path_template("{title}/{safe_title}.{ext}", kValues),
            "A_B_ _caf\xC3\xA9_/A_B_caf\xC3\xA9.mp4");
}

TEST(PathTemplate, AlwaysEndsInTheExtension) {
  EXPECT_EQ(expand_path_template("x/{id}", kValues), "x/x1.mp4");
  TemplateValues long_title = kValues;
  long_title["title"] = std::string(500, 'y');
  const std::string path = expand_path_template("{title}.{ext}", long_title).value();
  EXPECT_LE(path.size(), 200u);
  EXPECT_TRUE(path.ends_with(".mp4"));
}

TEST(PathTemplate, RefusesWhatCouldLeaveTheStorage) {
  for (const char* bad : {"", "/abs", "../x", "a/../b", "a//b", "a/", "a\\b", "a\nb", "{unknown}", "{id",
                          "%(id)", "%x", "{id:9x}", "./a"}) {
    EXPECT_TRUE(check_path_template(bad)) << bad;
  }
  EXPECT_TRUE(check_path_template(std::string(1025, 'a')));
  EXPECT_TRUE(check_path_template(std::string_view("a\0b", 3)));
}

TEST(SafeSegment, NeverClimbsNorHides) {
  for (const char* nasty : {"..", ".", "", "../../x", ".hidden", "-rf", "...", " ", "a/b", "\x01"}) {
    const std::string safe = safe_segment(nasty);
    EXPECT_FALSE(safe.empty()) << nasty;
    EXPECT_EQ(safe.find('/'), std::string::npos) << nasty;
    EXPECT_NE(safe.front(), '.') << nasty;
    EXPECT_NE(safe.front(), '-') << nasty;
  }
}

}  // namespace
}  // namespace trawl::media
