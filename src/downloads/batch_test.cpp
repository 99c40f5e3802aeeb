#include "downloads/batch.h"

#include <gtest/gtest.h>

#include "downloads/archive.h"

namespace trawl::downloads {
namespace {

struct StatusCase {
  const char* what;
  Expansion expansion;
  Intent intent;
  BatchCounts counts;
  const char* status;
};

class BatchStatus : public testing::TestWithParam<StatusCase> {};

TEST_P(BatchStatus, FollowsFromItsChildren) {
  Batch batch;
  batch.expansion = GetParam().expansion;
  batch.intent = GetParam().intent;
  batch.counts = GetParam().counts;
  EXPECT_EQ(batch_status(batch), GetParam().status) << GetParam().what;
}

constexpr auto kDone = Expansion::done;
INSTANTIATE_TEST_SUITE_P(
    Table, BatchStatus,
    testing::Values(
        StatusCase{"nothing listed yet", Expansion::pending, Intent::run, {}, "queued"},
        StatusCase{"listing, none runs", Expansion::pending, Intent::run, {.queued = 5}, "running"},
        StatusCase{"listing, all so far ended", Expansion::pending, Intent::run, {.completed = 5}, "running"},
        StatusCase{"not begun", kDone, Intent::run, {.queued = 2}, "queued"},
        StatusCase{"one runs", kDone, Intent::run, {.queued = 1, .running = 1}, "running"},
        StatusCase{"one ended, one waits", kDone, Intent::run, {.queued = 1, .completed = 1}, "running"},
        StatusCase{"pausing", kDone, Intent::pause, {.queued = 1, .running = 1}, "running"},
        StatusCase{"paused", kDone, Intent::pause, {.queued = 1, .paused = 1}, "paused"},
        StatusCase{"paused while listing", Expansion::pending, Intent::pause, {.queued = 1}, "paused"},
        StatusCase{
            "every child paused by itself", kDone, Intent::run, {.paused = 2, .completed = 1}, "paused"},
        StatusCase{"a pause has nothing left to hold", kDone, Intent::pause, {.completed = 2}, "completed"},
        StatusCase{"all completed", kDone, Intent::run, {.completed = 3}, "completed"},
        StatusCase{
            "errors were to be ignored", kDone, Intent::run, {.completed = 1, .failed = 2}, "completed"},
        StatusCase{"all failed", kDone, Intent::run, {.failed = 2}, "failed"},
        StatusCase{"nothing was wanted", kDone, Intent::run, {}, "completed"},
        StatusCase{"everything was left out", kDone, Intent::run, {.skipped = 4}, "completed"},
        StatusCase{"stopped by an error",
                   kDone,
                   Intent::stop,
                   {.completed = 1, .failed = 1, .cancelled = 1},
                   "failed"},
        StatusCase{"being stopped", kDone, Intent::stop, {.running = 1, .failed = 1}, "running"},
        StatusCase{"not a playlist", Expansion::failed, Intent::run, {}, "failed"},
        StatusCase{"being cancelled", kDone, Intent::cancel, {.running = 1, .cancelled = 1}, "running"},
        StatusCase{"cancelled", kDone, Intent::cancel, {.completed = 1, .cancelled = 1}, "cancelled"},
        StatusCase{"cancelled too late", kDone, Intent::cancel, {.completed = 2}, "completed"},
        StatusCase{"children cancelled one by one", kDone, Intent::run, {.cancelled = 2}, "cancelled"}));

BatchRequest urls(std::vector<std::string> list) {
  BatchRequest request;
  request.urls = std::move(list);
  return request;
}

TEST(CheckBatch, SaysWhatDoesNotGoTogether) {
  EXPECT_TRUE(check_batch(urls({"https://a/1", "https://a/2"})));
  EXPECT_EQ(check_batch(urls({"https://a/1", " https://a/1"})).error().code, Errc::invalid);

  BatchRequest playlist;
  EXPECT_FALSE(check_batch(playlist));
  playlist.url = "https://a/list";
  EXPECT_TRUE(check_batch(playlist));
  playlist.source = BatchSource::urls;
  EXPECT_FALSE(check_batch(playlist));
  playlist.source = BatchSource::channel;
  playlist.urls = {"https://a/1"};
  EXPECT_FALSE(check_batch(playlist));
  playlist.urls.clear();
  playlist.start = 5, playlist.end = 4;
  EXPECT_FALSE(check_batch(playlist));
}

TEST(CheckBatch, HasRoomForAHundredUrlsAndNoMore) {
  std::vector<std::string> list;
  for (int i = 0; i < 100; ++i) list.push_back("https://a/" + std::to_string(i));
  EXPECT_TRUE(check_batch(urls(list)));
  list.emplace_back("https://a/100");
  const auto checked = check_batch(urls(list));
  EXPECT_EQ(checked.error().code, Errc::too_large);
  EXPECT_NE(checked.error().message.find("exceeds maximum"), std::string::npos);
}

TEST(ChildRequest, StoresOnlyWhatDiffersAndReadsBackWhole) {
  Batch batch;
  batch.id = "batch_1";
  batch.request.url = "https://a/list";
  batch.request.quality = media::Quality::p720;
  batch.request.min_duration = 60;
  media::Entry entry;
  entry.url = "https://a/1";
  entry.id = "x", entry.extractor = "Site", entry.title = "One", entry.index = 7;
  entry.target = {{"ie_key", "Site"}};
  const json::object stored = child_request(batch, entry, {{"playlist", "List"}});
  EXPECT_LT(json::serialize(stored).size(), 500u) << stored;

  const auto request = decode_own<media::DownloadRequest>(stored, "request");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->url, "https://a/1");
  EXPECT_EQ(request->quality, media::Quality::p720);
  EXPECT_TRUE(request->embed_metadata);
  EXPECT_EQ(request->timeout_sec, 3600);
  const auto member = membership_of(stored);
  ASSERT_TRUE(member && *member);
  EXPECT_EQ((*member)->key, "site x");
  EXPECT_EQ((*member)->playlist.at("playlist_index"), 7);
  EXPECT_EQ((*member)->filters.at("min_duration").to_number<int>(), 60);
  EXPECT_TRUE((*member)->skip_downloaded);
  EXPECT_FALSE(membership_of({{"url", "https://a"}})->has_value());
}

TEST(OptionsDigest, ChangesWithWhatIsMadeAndNotWithWhereItGoes) {
  const media::DownloadOptions plain;
  media::DownloadOptions elsewhere = plain, audio = plain;
  elsewhere.path_template = "x/{id}.{ext}";
  elsewhere.timeout_sec = 100;
  audio.audio_only = true;
  EXPECT_EQ(options_digest(plain), options_digest(elsewhere));
  EXPECT_NE(options_digest(plain), options_digest(audio));
}

}  // namespace
}  // namespace trawl::downloads
