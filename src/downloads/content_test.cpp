#include "downloads/content.h"

#include <fstream>

#include <gtest/gtest.h>

#include "testing/temp_dir.h"

namespace trawl::downloads {
namespace {

using media::Kind;

std::string fitting(Kind kind, std::string_view extension, std::string_view mime_type) {
  const auto found = fitting_extension(kind, extension, mime_type);
  return found ? *found : found.error().reason;
}

TEST(Content, KeepsAnExtensionThatAgrees) {
  EXPECT_EQ(fitting(Kind::video, "mp4", "video/mp4"), "mp4");
  EXPECT_EQ(fitting(Kind::video, "mov", "video/quicktime"), "mov");
  EXPECT_EQ(fitting(Kind::video, "mkv", "video/x-matroska"), "mkv");
  EXPECT_EQ(fitting(Kind::audio, "opus", "audio/ogg"), "opus");
  EXPECT_EQ(fitting(Kind::audio, "m4a", "video/mp4"), "m4a");
  EXPECT_EQ(fitting(Kind::audio, "mp3", "application/octet-stream"), "mp3");
  EXPECT_EQ(fitting(Kind::thumbnail, "jpeg", "image/jpeg"), "jpeg");
  EXPECT_EQ(fitting(Kind::subtitle, "srt", "text/plain"), "srt");
  EXPECT_EQ(fitting(Kind::subtitle, "vtt", "text/vtt"), "vtt");
  EXPECT_EQ(fitting(Kind::subtitle, "sami", "text/html"), "sami");
  EXPECT_EQ(fitting(Kind::info, "json", "application/json"), "json");
}

TEST(Content, NamesAFileByWhatItHolds) {
  EXPECT_EQ(fitting(Kind::video, "mp4", "video/webm"), "webm");
  EXPECT_EQ(fitting(Kind::audio, "m4a", "audio/mpeg"), "mp3");
  EXPECT_EQ(fitting(Kind::thumbnail, "jpg", "image/webp"), "webp");
}

TEST(Content, RefusesWhatIsNoMedium) {
  for (const auto* type :
       {"application/x-dosexec", "application/x-executable", "application/x-sharedlib", "application/zip",
        "application/java-archive", "text/x-shellscript", "text/html", "text/plain", "application/pdf",
        "image/svg+xml", "inode/x-empty", "inode/symlink"}) {
    EXPECT_EQ(fitting(Kind::video, "mp4", type), "unsafe_content") << type;
    EXPECT_EQ(fitting(Kind::thumbnail, "jpg", type), "unsafe_content") << type;
  }
  EXPECT_EQ(fitting(Kind::thumbnail, "jpg", "application/octet-stream"), "unsafe_content");
  for (const auto* type : {"application/x-dosexec", "text/x-shellscript", "text/html",
                           "application/x-mswinurl", "video/mp4", "application/octet-stream"}) {
    EXPECT_EQ(fitting(Kind::subtitle, "vtt", type), "unsafe_content") << type;
  }
}

TEST(Content, LooksIntoTheFile) {
  const TempDir folder;
  const auto sniffed = [&](std::string_view bytes) {
    std::ofstream(folder / "file.mp4", std::ios::binary) << bytes;
    return sniff(folder / "file.mp4").value_or("nothing");
  };
  EXPECT_EQ(sniffed(std::string_view("\0\0\0\x18"
                                     "ftypmp42\0\0\0\0mp42isom",
                                     24)),
            "video/mp4");
  EXPECT_EQ(sniffed("#!/bin/sh\necho hello\n"), "text/x-shellscript");
  EXPECT_EQ(sniffed("WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"), "text/vtt");
  EXPECT_EQ(sniffed("<!DOCTYPE html><html><body>hello</body></html>"), "text/html");
  EXPECT_TRUE(sniffed(std::string("MZ") + std::string(200, '\0')).starts_with("application/"));
  EXPECT_EQ(sniffed("\xe9\x01\x02" + std::string(500, '\x03')), "application/octet-stream");
  EXPECT_FALSE(sniff(folder / "missing"));
}

}  // namespace
}  // namespace trawl::downloads
