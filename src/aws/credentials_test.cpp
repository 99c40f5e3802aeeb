#include "aws/credentials.h"

#include <atomic>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "async/run.h"
#include "testing/fake_clock.h"
#include "testing/scripted_origin.h"
#include "testing/temp_dir.h"

namespace trawl::aws {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(KeySources, PreferTheConfigurationThenTheEnvironment) {
  const std::map<std::string, std::string> environment{
      {"AWS_ACCESS_KEY_ID", "env"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_SESSION_TOKEN", "t"}};
  EXPECT_EQ(key_sources({.access = "own", .secret = "s"}, environment)->given.access, "own");
  EXPECT_EQ(key_sources({}, environment)->given, (Keys{.access = "env", .secret = "s", .token = "t"}));
}

TEST(KeySources, FollowTheVariablesOfContainersAndInstances) {
  EXPECT_EQ(key_sources({}, {})->instance_url, "http://169.254.169.254");
  EXPECT_EQ(key_sources({}, {{"AWS_EC2_METADATA_DISABLED", "TRUE"}})->instance_url, "");
  EXPECT_EQ(key_sources({}, {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"}})->container_url,
            "http://169.254.170.2/v2/x");
}

TEST(KeySources, TrustOnlyAContainerAddressThatIsNear) {
  const auto accepted = [](std::string_view url) {
    return key_sources({}, {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", std::string(url)}}).has_value();
  };
  for (const auto* url : {"https://keys.example/x", "http://127.0.0.1:51679/x", "http://[::1]/x",
                          "http://169.254.170.23/v1/credentials", "http://localhost/x"})
    EXPECT_TRUE(accepted(url)) << url;
  for (const auto* url : {"http://keys.example/x", "http://127.0.0.1@evil.example/", "ftp://127.0.0.1/",
                          "127.0.0.1", "http://127.0.0.1.evil.example/"})
    EXPECT_FALSE(accepted(url)) << url;
}

// A service for keys, answering on a thread of its own because get() blocks.
struct KeyService : ::testing::Test {
  void SetUp() override {
    origin = std::make_unique<ScriptedOrigin>(
        context, *scope, [this](const ScriptedOrigin::Request& asked) { return answer(asked); });
    url = origin->url("");
    thread = std::jthread([this] { context.run(); });
  }
  void TearDown() override {
    asio::post(context, [this] {
      asio::co_spawn(context, scope->close(), [this](std::exception_ptr) { context.stop(); });
    });
    thread.join();
    origin.reset();
    scope.reset();
  }

  ScriptedOrigin::Reply answer(const ScriptedOrigin::Request& asked) {
    const std::string target(asked.target());
    calls.push_back(std::string(asked.method_string()) + " " + target);
    if (down) return {.status = 500};
    if (target == "/latest/api/token") return {.body = "secret-token"};
    if (target == "/task" && asked["Authorization"] != "from-file") return {.status = 403};
    if (target.starts_with("/latest/meta-data") && asked["X-aws-ec2-metadata-token"] != "secret-token")
      return {.status = 401};
    if (target.ends_with("/security-credentials/")) return {.body = "the-role"};
    return {.body = R"({"AccessKeyId":"K)" + std::to_string(++handed_out) +
                    R"(","SecretAccessKey":"S","Token":"T","Expiration":")" + to_iso8601(clock.now() + 1h) +
                    R"("})"};
  }

  asio::io_context context;
  std::unique_ptr<Scope> scope = std::make_unique<Scope>(context.get_executor());
  FakeClock clock;
  std::unique_ptr<ScriptedOrigin> origin;
  std::string url;
  std::jthread thread;
  std::vector<std::string> calls;
  std::atomic<bool> down = false;
  int handed_out = 0;
};

TEST_F(KeyService, GivesKeysOfAnInstanceAndNewOnesBeforeTheyEnd) {
  Credentials credentials({.instance_url = url}, clock);
  const auto first = credentials.get();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->access, "K1");
  EXPECT_EQ(first->token, "T");
  EXPECT_EQ(calls, (std::vector<std::string>{"PUT /latest/api/token",
                                             "GET /latest/meta-data/iam/security-credentials/",
                                             "GET /latest/meta-data/iam/security-credentials/the-role"}));
  clock.advance(54min);
  EXPECT_EQ(credentials.get()->access, "K1");
  clock.advance(1min);
  EXPECT_EQ(credentials.get()->access, "K2");
}

TEST_F(KeyService, KeepsKeysThatStillWorkWhileNoNewOnesAreToBeHad) {
  Credentials credentials({.instance_url = url}, clock);
  ASSERT_TRUE(credentials.get());
  down = true;
  clock.advance(56min);
  EXPECT_EQ(credentials.get()->access, "K1");
  clock.advance(5min);
  const auto none = credentials.get();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().reason, "no_credentials");
}

TEST_F(KeyService, AsksTheServiceOfAContainerWithItsToken) {
  TempDir folder;
  std::ofstream(folder / "token") << "from-file\n";
  Credentials credentials(
      {.container_url = url + "/task", .container_token_file = (folder / "token").string()}, clock);
  const auto keys = credentials.get();
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(keys->access, "K1");
  credentials.refused(*keys);
  EXPECT_EQ(credentials.get()->access, "K2");
}

}  // namespace
}  // namespace trawl::aws
