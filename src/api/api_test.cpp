#include <gtest/gtest.h>

#include "api/body.h"
#include "api/key_guard.h"
#include "api/paging.h"
#include "api/views.h"

namespace trawl::api {
namespace {

http::Request request_for(std::string path, std::string query = "") {
  http::Request request;
  request.method = "GET";
  request.path = std::move(path);
  request.query = std::move(query);
  return request;
}

TEST(Paging, UnderstandsEverySpelling) {
  struct Case {
    const char* query;
    std::int64_t offset, size;
  };
  for (const Case& c : {Case{"", 0, 20},
                        {"page=3&per_page=10", 20, 10},
                        {"page=2&page_size=5", 5, 5},
                        {"page=2&limit=7", 7, 7},
                        {"skip=4&limit=2", 4, 2},
                        {"offset=9", 9, 20}}) {
    const auto paging = read_paging(request_for("/", c.query));
    ASSERT_TRUE(paging) << c.query;
    EXPECT_EQ(paging->offset, c.offset) << c.query;
    EXPECT_EQ(paging->size, c.size) << c.query;
  }
}

TEST(Paging, RefusesWhatIsOutOfRangeOrNoNumber) {
  for (const char* query :
       {"page=0", "per_page=101", "limit=0", "skip=-1", "page=x", "offset=1e3", "page="}) {
    EXPECT_FALSE(read_paging(request_for("/", query))) << query;
  }
}

TEST(KeyGuard, LetsEverythingThroughWithoutAKeyAndOnlyTheKeyWithOne) {
  EXPECT_FALSE(KeyGuard("").refuse(request_for("/api/v1/downloads"), false));
  const KeyGuard guard("a-long-secret-key");
  EXPECT_EQ(guard.refuse(request_for("/api/v1/downloads"), false)->status, 401);
  EXPECT_FALSE(guard.refuse(request_for("/health"), false));

  http::Request with_key = request_for("/files/x.mp4");
  with_key.headers.set("x-api-key", "a-long-secret-key");
  EXPECT_FALSE(guard.refuse(with_key, false));
  with_key.headers.set("x-api-key", "a-long-secret-kez");
  EXPECT_EQ(guard.refuse(with_key, false)->status, 401);
  http::Request bearer = request_for("/files/x.mp4");
  bearer.headers.set("Authorization", "Bearer a-long-secret-key");
  EXPECT_FALSE(guard.refuse(bearer, false));
}

TEST(KeyGuard, TakesAKeyFromTheQueryOnlyForWebSockets) {
  const KeyGuard guard("a-long-secret-key");
  const http::Request request = request_for("/ws/progress/x", "key=a-long-secret-key");
  EXPECT_TRUE(guard.refuse(request, false));
  EXPECT_FALSE(guard.refuse(request, true));
}

downloads::Download completed_download() {
  downloads::Download download;
  download.job.id = JobId::make(SystemTime{Millis{1}});
  download.job.state = jobs::State::completed;
  download.job.phase = "finished";
  download.job.result = {{"metadata", {{"title", "T"}}}};
  download.job.started_at = SystemTime{Millis{1000}};
  download.job.completed_at = SystemTime{Millis{3500}};
  download.artifacts.push_back({.path = "videos/a b\xC3\xA9.mp4", .mime_type = "video/mp4", .size = 7});
  return download;
}

TEST(DownloadView, LinksToTheFileByAnEncodedPath) {
  const DownloadView view = view_of(completed_download(), {.public_url = "https://media.example"});
  EXPECT_EQ(view.file_info->file_url, "https://media.example/files/videos/a%20b%C3%A9.mp4");
  EXPECT_EQ(view.file_info->filename, "a b\xC3\xA9.mp4");
  EXPECT_EQ(view.file_info->format, "mp4");
  EXPECT_EQ(view.progress.percent, 100);
  EXPECT_EQ(view.title, "T");
  EXPECT_EQ(view.duration_sec, 2.5);
}

TEST(DownloadView, ShowsInternalStatesInTheApisWords) {
  downloads::Download download = completed_download();
  download.artifacts.clear();
  for (const auto& [state, status] : {std::pair{jobs::State::retry_wait, "queued"},
                                      {jobs::State::cancelling, "running"},
                                      {jobs::State::dead, "failed"}}) {
    download.job.state = state;
    EXPECT_EQ(view_of(download, {}).status, status);
  }
}

TEST(ReadBody, AnswersWithEveryProblemAtItsPlace) {
  http::Request request = request_for("/");
  request.body = R"({"url":"nope","quality":"x","bogus":1})";
  const auto body = read_body<media::DownloadRequest>(request, {});
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().status, 422);
  const auto document = parse_json(std::get<std::string>(body.error().body)).value();
  EXPECT_EQ(document.at("detail").as_array().size(), 3u);
  EXPECT_EQ(document.at("error_code"), "validation_error");

  request.body = "{";
  EXPECT_EQ(read_body<media::DownloadRequest>(request, {}).error().status, 400);
}

}  // namespace
}  // namespace trawl::api
