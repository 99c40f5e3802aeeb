#include "http/static_file.h"

#include <gtest/gtest.h>

namespace trawl::http {
namespace {

constexpr const char* kModified = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kEarlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* kLater = "Sun, 06 Nov 1994 08:49:38 GMT";

class StaticFile : public ::testing::Test {
 protected:
  using Fields = std::initializer_list<std::pair<std::string, std::string>>;

  Response get(Fields fields, const std::string& method = "GET") const {
    Request request;
    request.method = method;
    for (const auto& [name, value] : fields) request.headers.set(name, value);
    return serve_file(request, file);
  }
  static std::string field(const Response& response, std::string_view name) {
    return std::string(response.headers.find(name).value_or(""));
  }

  FileFacts file{.path = "/data/video.mp4",
                 .size = 1000,
                 .etag = "v1",
                 .modified = SystemTime(Millis(784111777123)),
                 .mime_type = {},
                 .download_name = {}};
};

TEST_F(StaticFile, DescribesTheWholeFile) {
  const Response response = get({});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(field(response, "Content-Type"), "video/mp4");
  EXPECT_EQ(field(response, "ETag"), "\"v1\"");
  EXPECT_EQ(field(response, "Last-Modified"), kModified);
  EXPECT_EQ(field(response, "Accept-Ranges"), "bytes");
  EXPECT_EQ(field(response, "Content-Disposition"), "attachment; filename=\"video.mp4\"");
  EXPECT_EQ(std::get<FileBody>(response.body).length, 1000u);
}

TEST_F(StaticFile, ServesAPartOrSaysThatThereIsNone) {
  const Response part = get({{"Range", "bytes=100-199"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(field(part, "Content-Range"), "bytes 100-199/1000");
  EXPECT_EQ(std::get<FileBody>(part.body).offset, 100u);
  EXPECT_EQ(std::get<FileBody>(part.body).length, 100u);
  const Response behind = get({{"Range", "bytes=1000-"}});
  EXPECT_EQ(behind.status, 416);
  EXPECT_EQ(field(behind, "Content-Range"), "bytes */1000");
  EXPECT_EQ(get({{"Range", "bytes=0-1,5-6"}}).status, 200);
  EXPECT_EQ(get({{"Range", "bytes=0-1"}}, "HEAD").status, 200);  // Ranges are defined for GET alone.
}

TEST_F(StaticFile, HonoursARangeOnlyForTheFileTheClientKnows) {
  const auto status = [this](const char* validator) {
    return get({{"Range", "bytes=0-9"}, {"If-Range", validator}}).status;
  };
  EXPECT_EQ(status("\"v1\""), 206);
  EXPECT_EQ(status(kModified), 206);
  for (const char* other : {"\"v2\"", "W/\"v1\"", "v1", kEarlier, kLater, "", "\"v1", "garbage"})
    EXPECT_EQ(status(other), 200) << other;
  EXPECT_EQ(get({{"Range", "bytes=2000-"}, {"If-Range", "\"v2\""}}).status, 200);
  file.etag.clear();
  EXPECT_EQ(status("\"\""), 200);
}

TEST_F(StaticFile, SaysThatNothingChanged) {
  for (const char* tags : {"\"v1\"", "W/\"v1\"", "*", "\"a\", \"v1\"", "\"a,b\",W/\"v1\""}) {
    const Response response = get({{"If-None-Match", tags}, {"Range", "bytes=0-1"}});
    EXPECT_EQ(response.status, 304) << tags;
    EXPECT_EQ(field(response, "ETag"), "\"v1\"");
    EXPECT_EQ(field(response, "Content-Type"), "");
  }
  for (const char* tags : {"\"v2\"", "v1", "", "\"v1"})
    EXPECT_EQ(get({{"If-None-Match", tags}}).status, 200) << tags;
  EXPECT_EQ(get({{"If-Modified-Since", kModified}}).status, 304);
  EXPECT_EQ(get({{"If-Modified-Since", kLater}}, "HEAD").status, 304);
  for (const char* since : {kEarlier, "garbage"})
    EXPECT_EQ(get({{"If-Modified-Since", since}}).status, 200) << since;
  EXPECT_EQ(get({{"If-None-Match", "\"v2\""}, {"If-Modified-Since", kLater}}).status, 200);
}

TEST_F(StaticFile, ChecksPreconditionsFirst) {
  EXPECT_EQ(get({{"If-Match", "\"v1\""}}).status, 200);
  EXPECT_EQ(get({{"If-Match", "*"}}).status, 200);
  for (const char* tags : {"\"v2\"", "W/\"v1\"", ""})
    EXPECT_EQ(get({{"If-Match", tags}}).status, 412) << tags;
  EXPECT_EQ(get({{"If-Unmodified-Since", kEarlier}}).status, 412);
  EXPECT_EQ(get({{"If-Unmodified-Since", kModified}}).status, 200);
  EXPECT_EQ(get({{"If-Match", "\"v2\""}, {"If-None-Match", "\"v1\""}}).status, 412);
}

TEST_F(StaticFile, NamesTheDownloadSafely) {
  const auto disposition = [this](std::string name) {
    file.download_name = std::move(name);
    return field(get({}), "Content-Disposition");
  };
  EXPECT_EQ(disposition("My Video (1080p).mkv"), "attachment; filename=\"My Video (1080p).mkv\"");
  EXPECT_EQ(disposition("Fünf €.mp4"),
            "attachment; filename=\"F_nf _.mp4\"; filename*=UTF-8''F%C3%BCnf%20%E2%82%AC.mp4");
  EXPECT_EQ(disposition("a\"b\\c%41.mp4"),
            "attachment; filename=\"a_b_c_41.mp4\"; filename*=UTF-8''a%22b%5Cc%2541.mp4");
  EXPECT_EQ(disposition("a\r\nb"), "attachment; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab");
  EXPECT_EQ(disposition("\xff.mp4"), "attachment; filename=\"_.mp4\"; filename*=UTF-8''%EF%BF%BD.mp4");
  file.inline_view = true;
  EXPECT_EQ(disposition("a.mp4"), "inline; filename=\"a.mp4\"");
}

TEST(MimeType, IsKnownForAllCommonMedia) {
  for (const auto& [name, type] : std::initializer_list<std::pair<const char*, const char*>>{
           {"a.mp4", "video/mp4"},
           {"a.MKV", "video/x-matroska"},
           {"a.webm", "video/webm"},
           {"a.ts", "video/mp2t"},
           {"a.mp3", "audio/mpeg"},
           {"a.m4a", "audio/mp4"},
           {"a.opus", "audio/ogg"},
           {"a.flac", "audio/flac"},
           {"a.srt", "application/x-subrip"},
           {"a.en.vtt", "text/vtt; charset=utf-8"},
           {"a.info.json", "application/json"},
           {"a.webp", "image/webp"},
           {"a.description", "text/plain; charset=utf-8"},
           {"a.m3u8", "application/vnd.apple.mpegurl"},
           {"a.mpd", "application/dash+xml"},
           {"a.svg", "image/svg+xml"},
           {"a", "application/octet-stream"},
           {"a.unknown", "application/octet-stream"},
           {".mp4", "application/octet-stream"}}) {
    EXPECT_EQ(mime_type_of(name), type) << name;
  }
}

}  // namespace
}  // namespace trawl::http
