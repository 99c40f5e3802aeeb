#include <gtest/gtest.h>

#include "access/scopes.h"
#include "api/body.h"
#include "api/key_guard.h"
#include "api/paging.h"
#include "api/views.h"
#include "async/run.h"
#include "testing/temp_dir.h"

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

class KeyGuardTest : public ::testing::Test {
 protected:
  // The status a guarded route answers with; 200 when the request may pass.
  int admitted(access::Mode mode, http::Request request, http::AccessScope scope = access::kDownloadsRead,
               bool websocket = false) {
    access::Identities identities(mode, "a-long-secret-key", keys, tickets);
    KeyGuard guard(identities, limiter, clock,
                   {.origins = {"https://app.example"}, .limits = limits, .in_flight = in_flight});
    const http::Endpoint endpoint{.method = request.method,
                                  .path = request.path,
                                  .scope = scope,
                                  .summary = "",
                                  .contract = {.body = http::Body::none(),
                                               .query = http::Query::none(),
                                               .answers = http::Answers::empty(200, ""),
                                               .refusals = http::Refusals::none()},
                                  .websocket = websocket};
    const auto admission = run_to_end(context, guard.admit(request, endpoint));
    caller = request.caller;
    headers = admission.refusal ? admission.refusal->headers : admission.headers;
    return admission.refusal ? admission.refusal->status : 200;
  }
  std::string make_key(access::Level level) {
    return run_to_end(context, keys.create({.name = "k", .level = level}, ""))->text;
  }
  static http::Request with_key(const std::string& key) {
    http::Request request = request_for("/api/v1/downloads");
    request.headers.set("x-api-key", key);
    return request;
  }

  static constexpr auto kRequired = access::Mode::required, kOptional = access::Mode::optional,
                        kOff = access::Mode::off;
  TempDir folder;
  asio::io_context context;
  SystemClock clock;
  std::unique_ptr<db::Database> database =
      db::open_sqlite(folder / "trawl.db", context.get_executor()).value();
  access::KeyStore keys{*database, clock, context.get_executor()};
  access::Tickets tickets{*database, clock};
  access::Nanos now = std::chrono::hours(1000);
  access::MemoryRateLimiter limiter{[this] { return now; }};
  access::LimitRules limits;
  std::size_t in_flight = 10;
  http::Caller caller;
  http::Headers headers;
};

TEST_F(KeyGuardTest, LetsOnlyPublicRoutesBeCalledWithoutAKeyWhereOneIsRequired) {
  EXPECT_EQ(admitted(kRequired, request_for("/api/v1/downloads")), 401);
  EXPECT_EQ(admitted(kRequired, request_for("/health"), access::kPublic), 200);
  EXPECT_EQ(admitted(kRequired, with_key("a-long-secret-key")), 200);
  EXPECT_TRUE(caller.sees_all);
  EXPECT_EQ(admitted(kRequired, with_key("a-long-secret-kez")), 401);
  EXPECT_EQ(admitted(kRequired, with_key("a-long-secret-kez"), access::kPublic), 200);
  http::Request bearer = request_for("/files/x.mp4");
  bearer.headers.set("Authorization", "Bearer a-long-secret-key");
  EXPECT_EQ(admitted(kRequired, bearer), 200);
}

TEST_F(KeyGuardTest, LetsStrangersDoLittleWhereKeysAreOptional) {
  EXPECT_EQ(admitted(kOptional, request_for("/")), 200);
  EXPECT_FALSE(caller.sees_all);
  EXPECT_EQ(admitted(kOptional, request_for("/"), access::kDownloadsWrite), 200);
  EXPECT_EQ(admitted(kOptional, request_for("/"), access::kCookies), 403);
  EXPECT_EQ(admitted(kOptional, request_for("/"), access::kKeys), 403);
  EXPECT_EQ(admitted(kOptional, with_key("wrong")), 401);
}

TEST_F(KeyGuardTest, LooksAtNoKeyWhereItIsOff) {
  EXPECT_EQ(admitted(kOff, with_key("wrong"), access::kKeys), 200);
  EXPECT_TRUE(caller.sees_all);
}

TEST_F(KeyGuardTest, GivesAKeyTheScopesOfItsLevelAndItsOwnThings) {
  const std::string reader = make_key(access::Level::read_only), admin = make_key(access::Level::admin);
  EXPECT_EQ(admitted(kRequired, with_key(reader)), 200);
  EXPECT_EQ(caller.owner, reader.substr(6, 8));
  EXPECT_FALSE(caller.sees("somebody"));
  EXPECT_TRUE(caller.sees(reader.substr(6, 8)));
  EXPECT_EQ(admitted(kRequired, with_key(reader), access::kDownloadsWrite), 403);
  EXPECT_EQ(admitted(kRequired, with_key(admin), access::kKeys), 200);
  EXPECT_TRUE(caller.sees("somebody"));
  EXPECT_EQ(admitted(kRequired, with_key(admin), access::kSystemManage), 403);
}

TEST_F(KeyGuardTest, TakesAKeyFromTheQueryOnlyForWebSockets) {
  const http::Request request = request_for("/ws/progress/x", "key=a-long-secret-key");
  EXPECT_EQ(admitted(kRequired, request), 401);
  EXPECT_EQ(admitted(kRequired, request, access::kDownloadsRead, true), 200);
}

TEST_F(KeyGuardTest, LetsAWebSocketInByATicketOnceAsWhoeverMadeIt) {
  const auto with_ticket = [&](const std::string& key_id) {
    http::Request request =
        request_for("/ws/progress/x", "ticket=" + run_to_end(context, tickets.issue(key_id))->text);
    request.headers.set("Origin", "https://elsewhere.example");
    return request;
  };
  const http::Request first = with_ticket(std::string(access::kConfiguredKey));
  EXPECT_EQ(admitted(kRequired, first, access::kDownloadsRead, false), 401);  // Of no use elsewhere.
  EXPECT_EQ(admitted(kRequired, first, access::kDownloadsRead, true), 200);
  EXPECT_TRUE(caller.sees_all);
  EXPECT_EQ(admitted(kRequired, first, access::kDownloadsRead, true), 401);

  const std::string id = make_key(access::Level::read_only).substr(6, 8);
  const http::Request before = with_ticket(id), after = with_ticket(id);
  EXPECT_EQ(admitted(kRequired, before, access::kDownloadsRead, true), 200);
  EXPECT_EQ(caller.owner, id);
  ASSERT_TRUE(run_to_end(context, keys.revoke(id)));
  EXPECT_EQ(admitted(kRequired, after, access::kDownloadsRead, true), 401);
}

TEST_F(KeyGuardTest, CountsStrangersByAddressAndGoodKeysByThemselves) {
  using std::chrono::minutes;
  limits.address = {{3, minutes(1)}};
  limits.levels[static_cast<std::size_t>(access::Level::download)] = {{5, minutes(1)}};
  const std::string first = make_key(access::Level::download), second = make_key(access::Level::download);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(admitted(kRequired, with_key(first)), 200);
    EXPECT_EQ(headers.find("X-RateLimit-Remaining"), std::to_string(4 - i));
    EXPECT_EQ(admitted(kRequired, with_key(second)), 200);
  }
  EXPECT_EQ(admitted(kRequired, with_key(first)), 429);
  EXPECT_EQ(headers.find("Retry-After"), "12");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(admitted(kRequired, with_key("guess")), 401);
  EXPECT_EQ(admitted(kRequired, with_key("guess")), 429);
  EXPECT_EQ(admitted(kRequired, request_for("/health"), access::kPublic), 200);
  now += minutes(1);
  EXPECT_EQ(admitted(kRequired, with_key(first)), 200);
}

TEST_F(KeyGuardTest, CountsARefusalOfTheKeysOwnLimitNotAgainstItsAddress) {
  using std::chrono::minutes;
  limits.address = {{2, minutes(1)}};
  limits.levels[static_cast<std::size_t>(access::Level::download)] = {{1, minutes(1)}};
  const std::string key = make_key(access::Level::download);
  EXPECT_EQ(admitted(kRequired, with_key(key)), 200);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(admitted(kRequired, with_key(key)), 429);
  EXPECT_EQ(admitted(kRequired, with_key("guess")), 401);
}

TEST_F(KeyGuardTest, RefusesWhatIsMoreThanItCanWorkOn) {
  in_flight = 0;
  EXPECT_EQ(admitted(kOff, request_for("/")), 503);
  EXPECT_EQ(headers.find("Retry-After"), "1");
  EXPECT_EQ(admitted(kOff, request_for("/health"), access::kPublic), 200);
}

TEST_F(KeyGuardTest, LetsNoForeignPageChangeAnythingWithoutAKey) {
  struct Case {
    const char *method, *origin;
    bool websocket;
    int status;
  };
  for (const Case& c : {Case{"POST", "https://evil.example", false, 403},
                        {"POST", "null", false, 403},
                        {"POST", "http://localhost:8080", false, 200},
                        {"POST", "https://app.example", false, 200},
                        {"POST", "https://app.example.evil", false, 403},
                        {"DELETE", "http://localhost", false, 403},
                        {"GET", "https://evil.example", false, 200},
                        {"GET", "https://evil.example", true, 403},
                        {"GET", "http://LOCALHOST:8080", true, 200}}) {
    http::Request request = request_for("/");
    request.method = c.method;
    request.headers.set("Host", "localhost:8080");
    request.headers.set("Origin", c.origin);
    EXPECT_EQ(admitted(kOff, request, access::kDownloadsWrite, c.websocket), c.status)
        << c.method << " " << c.origin;
  }
  http::Request keyed = with_key("a-long-secret-key");
  keyed.method = "POST";
  keyed.headers.set("Origin", "https://evil.example");
  EXPECT_EQ(admitted(kRequired, keyed), 200);
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
