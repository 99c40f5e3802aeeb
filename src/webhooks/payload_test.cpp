#include "webhooks/payload.h"

#include <gtest/gtest.h>

namespace trawl::webhooks {
namespace {

Subject completed() {
  Subject subject{.job = JobId::make(SystemTime(Millis(1'767'225'600'000))),
                  .url = "https://example.com/watch?v=1",
                  .at = SystemTime(Millis(1'767'225'600'000))};
  subject.result = {{"metadata", {{"title", "A film"}, {"uploader", "Somebody"}, {"duration", 12.5}}}};
  subject.artifacts.push_back({.path = "videos/A film-1.mp4",
                               .mime_type = "video/mp4",
                               .size = 1234,
                               .sha256 = std::string(64, 'a')});
  return subject;
}

TEST(Payload, OfACompletedDownloadHoldsBothServicesFields) {
  const json::object body = payload("download.completed", completed(), "https://media.example.com");
  EXPECT_EQ(body.at("event"), "download.completed");
  EXPECT_EQ(body.at("type"), "download.completed");
  EXPECT_EQ(body.at("timestamp"), "2026-01-01T00:00:00.000Z");
  const json::object& data = body.at("data").as_object();
  EXPECT_EQ(data.at("status"), "completed");
  EXPECT_EQ(data.at("title"), "A film");
  EXPECT_EQ(data.at("duration"), 12.5);
  EXPECT_EQ(data.at("file_url"), "https://media.example.com/files/videos/A%20film-1.mp4");
  EXPECT_EQ(data.at("file_path"), "videos/A film-1.mp4");
  EXPECT_EQ(data.at("file_size"), 1234);
  EXPECT_EQ(data.at("file_info").at("filename"), "A film-1.mp4");
  EXPECT_EQ(data.at("metadata").at("uploader"), "Somebody");
}

TEST(Payload, OfAFailureSaysWhichKind) {
  Subject subject = completed();
  subject.error = "nothing came for 30 s";
  for (const auto& [code, type] : {std::pair{"origin_timeout", "timeout"},
                                   {"not_found", "download_error"},
                                   {"internal", "unexpected_error"},
                                   {"", "unexpected_error"}}) {
    subject.error_code = code;
    const json::object body = payload("download.failed", subject, "");
    EXPECT_EQ(body.at("data").at("error_type"), type) << code;
    EXPECT_EQ(body.at("data").at("error"), "nothing came for 30 s");
  }
}

TEST(Payload, StaysBelowTwentyKilobytes) {
  Subject subject = completed();
  subject.url = "https://example.com/" + std::string(5000, 'u');
  subject.result = {
      {"metadata", {{"title", std::string(50'000, 't')}, {"uploader", std::string(50'000, 'u')}}}};
  for (int i = 0; i < 500; ++i)
    subject.artifacts.push_back(
        {.path = "videos/" + std::string(200, 'p'), .mime_type = "video/mp4", .size = i});
  EXPECT_LT(json::serialize(payload("download.completed", subject, "https://media.example.com")).size(),
            20'000);
}

TEST(Payload, IsMadeForTheStatesPeopleWaitFor) {
  EXPECT_EQ(event_of("running", true), "download.started");
  EXPECT_FALSE(event_of("running", false));
  EXPECT_FALSE(event_of("queued", true));
  EXPECT_FALSE(event_of("retry_wait", true));
  EXPECT_EQ(event_of("completed", false), "download.completed");
  EXPECT_EQ(event_of("dead", false), "download.failed");
  EXPECT_EQ(event_of("expired", false), "download.failed");
  EXPECT_EQ(event_of("cancelled", false), "download.cancelled");
}

}  // namespace
}  // namespace trawl::webhooks
