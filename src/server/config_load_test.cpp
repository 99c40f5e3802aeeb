#include "server/config_load.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/id.h"

namespace trawl::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LoadConfig : public testing::Test {
 protected:
  LoadConfig() { std::filesystem::create_directory(folder); }
  ~LoadConfig() override { std::filesystem::remove_all(folder); }

  std::filesystem::path write(std::string_view name, std::string_view text) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << text;
    return folder / name;
  }
  static std::string refusal(const Sources& sources) {
    const auto loaded = load_config(sources);
    return loaded ? "accepted" : loaded.error().message;
  }

  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("trawl-load-" + random_hex(8));
};

TEST_F(LoadConfig, WithoutSourcesGivesTheDefaults) {
  const auto loaded = load_config({});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.server.port, 8080);
  EXPECT_EQ(loaded->config.download.max_bytes, ByteCount{10LL << 30});
  EXPECT_EQ(loaded->config.auth.mode, access::Mode::required);
  EXPECT_EQ(sqlite_file(loaded->config.db.url), "./data/trawl.db");
  EXPECT_THAT(loaded->origins, IsEmpty());
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST_F(LoadConfig, LetsFlagsWinOverTheEnvironmentAndThatOverTheFile) {
  Sources sources;
  sources.file = write("t.toml", "[server]\nport = 1\nhost = 'file'\nio_threads = 3\n");
  sources.env = {{"TRAWL_SERVER_PORT", "2"}, {"TRAWL_SERVER_HOST", "env"}};
  sources.flags = {{"server.port", "3"}};
  const auto loaded = load_config(sources);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.server.port, 3);
  EXPECT_EQ(loaded->config.server.host, "env");
  EXPECT_EQ(loaded->config.server.io_threads, 3);
  EXPECT_EQ(loaded->origins.at("server.port"), "--server.port");
  EXPECT_EQ(loaded->origins.at("server.host"), "TRAWL_SERVER_HOST");
  EXPECT_EQ(loaded->origins.at("server.io_threads"), sources.file->string() + ":4");
}

TEST_F(LoadConfig, DebugsUnlessALevelIsNamed) {
  EXPECT_EQ(load_config({.env = {{"DEBUG", "True"}}})->config.log.level, LogLevel::debug);
  EXPECT_EQ(load_config({.env = {{"DEBUG", "True"}, {"LOG_LEVEL", "WARNING"}}})->config.log.level,
            LogLevel::warn);
  EXPECT_EQ(load_config({.env = {{"DEBUG", "False"}}})->config.log.level, LogLevel::info);
}

TEST_F(LoadConfig, NamesKeyValueOriginAndRangeOfAWrongValue) {
  EXPECT_EQ(refusal({.env = {{"TRAWL_SERVER_PORT", "70000"}}}),
            R"(server.port = "70000" (TRAWL_SERVER_PORT): must be between 0 and 65535)");
  EXPECT_EQ(refusal({.flags = {{"jobs.lease_sec", "0"}}}),
            R"(jobs.lease_sec = "0" (--jobs.lease_sec): must be between 1 and 300)");
  EXPECT_THAT(refusal({.file = write("t.toml", "[server]\nport = -1\n")}),
              HasSubstr("t.toml:2): must be between 0 and 65535"));
}

TEST_F(LoadConfig, TellsEveryProblemOnALineOfItsOwn) {
  EXPECT_EQ(refusal({.env = {{"TRAWL_SERVER_PORT", "x"}}, .flags = {{"log.level", "loud"}}}),
            "server.port = \"x\" (TRAWL_SERVER_PORT): must be a whole number\n"
            "log.level = \"loud\" (--log.level): must be one of TRACE, DEBUG, INFO, WARN, ERROR, OFF");
}

TEST_F(LoadConfig, NeverRepeatsASecretItRefuses) {
  EXPECT_EQ(
      refusal({.env = {{"API_KEY", "my secret"}}}),
      "auth.api_key = *** (API_KEY): must be printable ASCII without white space, as it travels in a header");
}

TEST_F(LoadConfig, RefusesTwoNamesThatDisagree) {
  EXPECT_EQ(refusal({.env = {{"STORAGE_DIR", "/a"}, {"YTD_OUTPUT_PATH", "/b"}}}),
            "STORAGE_DIR and YTD_OUTPUT_PATH give different values for storage.dir: keep one of them");
  EXPECT_EQ(refusal({.env = {{"PORT", "1"}, {"TRAWL_SERVER_PORT", "2"}}}),
            "PORT and TRAWL_SERVER_PORT give different values for server.port: keep one of them");
}

TEST_F(LoadConfig, AcceptsTwoNamesThatMeanTheSame) {
  const auto loaded = load_config({.env = {{"MAX_FILE_SIZE_GB", "5"}, {"MAX_CONTENT_LENGTH", "5368709120"}}});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.download.max_bytes, ByteCount{5LL << 30});
  EXPECT_EQ(loaded->warnings.size(), 2u);
}

TEST_F(LoadConfig, LetsAnyoneOverrideWhatThePlatformSays) {
  Sources sources{.env = {{"RAILWAY_PUBLIC_DOMAIN", "x.railway.app"}}};
  EXPECT_EQ(load_config(sources)->config.server.public_url, "https://x.railway.app");
  sources.file = write("t.toml", "[server]\npublic_url = 'https://mine.example'\n");
  EXPECT_EQ(load_config(sources)->config.server.public_url, "https://mine.example");
}

TEST_F(LoadConfig, RequiresKeysUnlessToldOtherwise) {
  EXPECT_EQ(load_config({.env = {{"API_KEY", "k"}}})->config.auth.mode, access::Mode::required);
  const auto open = load_config({.env = {{"API_KEY", "k"}, {"REQUIRE_API_KEY", "false"}}});
  EXPECT_EQ(open->config.auth.mode, access::Mode::off);
  EXPECT_THAT(open->warnings,
              testing::Contains("auth.api_key has no effect, as auth.mode is off (REQUIRE_API_KEY)"));
}

TEST_F(LoadConfig, RefusesARetentionTooShortToFetchAnything) {
  EXPECT_EQ(refusal({.flags = {{"storage.retention_hours", "0.05"}}}),
            "storage.retention_hours = 0.05 (--storage.retention_hours): must be 0 or between 0.1 and 8760");
  EXPECT_EQ(load_config({.flags = {{"storage.retention_hours", "0"}}})->config.storage.retention_hours, 0);
}

TEST_F(LoadConfig, RefusesPoliciesThatLeaveNothing) {
  EXPECT_THAT(refusal({.env = {{"ALLOW_YT_DOWNLOADS", "false"}}, .flags = {{"policy.youtube_only", "true"}}}),
              HasSubstr("leaves nothing to download"));
}

TEST_F(LoadConfig, PutsTheDatabaseIntoTheStorageFolder) {
  EXPECT_EQ(sqlite_file(load_config({.flags = {{"storage.dir", "/srv/x"}}})->config.db.url),
            "/srv/x/trawl.db");
  EXPECT_EQ(sqlite_file(load_config({.flags = {{"db.url", "sqlite:////srv/jobs.db"}}})->config.db.url),
            "/srv/jobs.db");
}

TEST_F(LoadConfig, LooksForTheFileWhereItIsExpected) {
  EXPECT_EQ(find_config_file(std::nullopt, folder, folder).value(), std::nullopt);
  const auto system = write("etc/trawl/trawl.toml", "");
  EXPECT_EQ(find_config_file(std::nullopt, folder, folder).value(), system);
  const auto local = write("trawl.toml", "");
  EXPECT_EQ(find_config_file(std::nullopt, folder, folder).value(), local);
  const auto given = write("mine.toml", "");
  EXPECT_EQ(find_config_file(given, folder, folder).value(), given);
  EXPECT_FALSE(find_config_file(folder / "absent.toml", folder, folder));
}

}  // namespace
}  // namespace trawl::server
