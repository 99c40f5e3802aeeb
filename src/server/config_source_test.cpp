#include "server/config_source.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/id.h"
#include "server/config_aliases.h"

namespace trawl::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A file in a folder of its own that goes with it.
class TemporaryFile {
 public:
  TemporaryFile(std::string_view name, std::string_view text)
      : folder_(std::filesystem::temp_directory_path() / ("trawl-config-" + random_hex(8))),
        path(folder_ / name) {
    std::filesystem::create_directory(folder_);
    std::ofstream(path, std::ios::binary) << text;
  }
  ~TemporaryFile() { std::filesystem::remove_all(folder_); }

 private:
  std::filesystem::path folder_;

 public:
  std::filesystem::path path;
};

std::vector<std::string> described(const Reading& reading) {
  std::vector<std::string> out;
  for (const Setting& s : reading.settings) out.push_back(s.key->name() + "=" + json::serialize(s.value));
  return out;
}

TEST(Keys, HaveADocumentationAndAVariableOfTheirOwn) {
  std::set<std::string> names;
  for (const Key& key : all_keys()) {
    EXPECT_FALSE(key.rule.doc.empty()) << key.name();
    EXPECT_TRUE(names.insert(key.env()).second) << key.env();
    EXPECT_EQ(find_key(key.name()), &key);
  }
  EXPECT_EQ(find_key("server.io_threads")->env(), "TRAWL_SERVER_IO_THREADS");
  EXPECT_EQ(find_key("server.nothing"), nullptr);
}

TEST(Keys, HaveDefaultsTheirOwnRulesAccept) {
  for (const Key& key : all_keys()) EXPECT_EQ(normalise(key, key.initial), key.initial) << key.name();
}

TEST(Normalise, MakesEqualSettingsEqualHoweverTheyAreWritten) {
  const Key& size = *find_key("download.max_bytes");
  EXPECT_EQ(normalise(size, "10GiB"), normalise(size, 10LL << 30));
  const Key& list = *find_key("policy.allowed_domains");
  EXPECT_EQ(normalise(list, " a.com, b.com,"), (json::array{"a.com", "b.com"}));
  EXPECT_EQ(normalise(list, ""), json::array{});
  EXPECT_EQ(normalise(*find_key("policy.youtube_only"), "on"), json::value(true));
  EXPECT_EQ(normalise(*find_key("log.level"), "warning"), json::value("WARN"));
}

struct Refusal {
  const char* key;
  json::value value;
  const char* why;
};

TEST(Normalise, SaysWhatAValueMustBe) {
  const Refusal refusals[] = {
      {"server.port", "-1", "must be between 0 and 65535"},
      {"server.port", "80a", "must be a whole number"},
      {"server.port", nullptr, "must be a whole number"},
      {"server.host", "http://x", "must be an address or a host name, without scheme, port or brackets"},
      {"server.public_url", "media.example.com", "must begin with http:// or https://"},
      {"server.public_url", "https://a.com/?x",
       "must be a URL such as https://media.example.com, without user, query or fragment"},
      {"auth.mode", "maybe", "must be one of required, optional, off"},
      {"auth.bootstrap_token", "short", "must have at least 16 characters"},
      {"auth.header", "X Key", "must be the name of a header field: letters, digits and '-'"},
      {"auth.api_key", "two words", "must be printable ASCII without white space, as it travels in a header"},
      {"storage.dir", "", "length must be between 1 and 4000"},
      {"storage.retention_hours", "nan", "must be a number"},
      {"storage.retention_hours", -1, "must be between 0 and 8760"},
      {"db.url", "mysql://x/y", "must begin with sqlite:/// or postgresql://"},
      {"redis.url", "http://x", "the address of Redis must begin with redis://"},
      {"db.url", "sqlite:///:memory:", "must name a file, as jobs outlive the process"},
      {"download.max_bytes", "1KiB", "must be at least 1048576"},
      {"download.max_bytes", "lots", "must be a size such as 1048576 or 10GiB"},
      {"policy.youtube_only", "perhaps", "must be true or false"},
      {"policy.denied_domains", "a.com,https://b.com",
       "must be domains such as example.com, which covers its subdomains; 'https://b.com' is none"},
      {"policy.denied_domains", "*.b.com",
       "must be domains such as example.com, which covers its subdomains; '*.b.com' is none"},
      {"log.level", "loud", "must be one of TRACE, DEBUG, INFO, WARN, ERROR, OFF"},
  };
  for (const Refusal& refusal : refusals) {
    const auto value = normalise(*find_key(refusal.key), refusal.value);
    ASSERT_FALSE(value) << refusal.key << " " << refusal.value;
    EXPECT_EQ(value.error(), refusal.why) << refusal.key;
  }
}

TEST(Suggestion, FindsTheKeyMeantAndNothingForAForeignWord) {
  const auto spelling = [](const Key& key) { return key.name(); };
  EXPECT_EQ(suggestion("server.prot", spelling), "; did you mean server.port?");
  EXPECT_EQ(suggestion("download.maxbytes", spelling), "; did you mean download.max_bytes?");
  EXPECT_EQ(suggestion("colour", spelling), "; `trawl config` lists the keys");
}

TEST(Environment, TakesEveryKeyByItsVariable) {
  for (const Key& key : all_keys()) {
    const Reading reading = read_environment({{key.env(), "x"}});
    ASSERT_EQ(reading.settings.size(), 1u) << key.env();
    EXPECT_EQ(reading.settings[0].key, &key);
    EXPECT_EQ(reading.settings[0].origin, key.env());
  }
}

TEST(Environment, RefusesAnUnknownVariableAndGuessesTheOneMeant) {
  EXPECT_THAT(
      read_environment({{"TRAWL_SERVER_PROT", "1"}}).problems,
      ElementsAre("TRAWL_SERVER_PROT is not a variable Trawl knows; did you mean TRAWL_SERVER_PORT?"));
  EXPECT_THAT(read_environment({{"TRAWL_XYZ", "1"}}).problems,
              ElementsAre("TRAWL_XYZ is not a variable Trawl knows; `trawl config` lists the keys"));
}

TEST(Environment, TakesAnEmptyVariableAsNotSet) {
  const Reading reading = read_environment({{"API_KEY", ""}, {"TRAWL_SERVER_PORT", ""}, {"SECRET_KEY", ""}});
  EXPECT_THAT(reading.settings, IsEmpty());
  EXPECT_THAT(reading.warnings, IsEmpty());
}

TEST(Environment, IgnoresWhatOrchestratorsSayAboutAServiceOfThatName) {
  const Reading reading = read_environment({{"TRAWL_PORT", "tcp://10.0.0.1:8080"},
                                            {"TRAWL_PORT_8080_TCP", "tcp://10.0.0.1:8080"},
                                            {"TRAWL_PORT_8080_TCP_ADDR", "10.0.0.1"},
                                            {"TRAWL_SERVICE_HOST", "10.0.0.1"},
                                            {"TRAWL_SERVICE_PORT_HTTP", "8080"},
                                            {"TRAWL_SERVER_PORT", "tcp://10.0.0.1:8080"}});
  EXPECT_THAT(reading.settings, IsEmpty());
  EXPECT_THAT(reading.problems, IsEmpty());
}

TEST(Environment, WarnsOfNamesThatHaveNoEffectYet) {
  const Reading reading =
      read_environment({{"RESULT_BACKEND", "x"}, {"ENABLE_XRAY", "1"}, {"HOME", "/root"}});
  EXPECT_THAT(reading.warnings,
              ElementsAre("ENABLE_XRAY has no effect yet", "RESULT_BACKEND has no effect yet"));
  EXPECT_THAT(reading.problems, IsEmpty());
}

TEST(Aliases, LeadToKeysThatExist) {
  for (const auto& list : {env_aliases(), file_aliases(), platform_aliases()}) {
    for (const Alias& alias : list) {
      EXPECT_NE(find_key(alias.key), nullptr) << alias.name;
      EXPECT_FALSE(env_without_effect(alias.name)) << alias.name;
    }
  }
}

TEST(Aliases, TranslateValuesThatWereWrittenDifferently) {
  const std::pair<Environment, std::string> cases[] = {
      {{{"PORT", "9000"}}, R"(server.port="9000")"},
      {{{"REQUIRE_API_KEY", "True"}}, R"(auth.mode="required")"},
      {{{"REQUIRE_API_KEY", "0"}}, R"(auth.mode="off")"},
      {{{"MAX_FILE_SIZE_GB", "5"}}, R"(download.max_bytes="5368709120")"},
      {{{"MAX_FILE_SIZE_GB", "0.5"}}, R"(download.max_bytes="536870912")"},
      {{{"DATABASE_URL", "sqlite+aiosqlite:///./x.db"}}, R"(db.url="sqlite:///./x.db")"},
      {{{"YTD_DB_PATH", "/app/x.db"}}, R"(db.url="sqlite:////app/x.db")"},
      {{{"LOG_LEVEL", "Critical"}}, R"(log.level="error")"},
  };
  for (const auto& [environment, expected] : cases) {
    const Reading reading = read_environment(environment);
    EXPECT_THAT(described(reading), ElementsAre(expected));
    EXPECT_EQ(reading.warnings.size(), 1u);
  }
}

TEST(Aliases, WarnWithTheNameToUse) {
  EXPECT_THAT(
      read_environment({{"WORKERS", "4"}}).warnings,
      ElementsAre("WORKERS is a deprecated name: use TRAWL_SERVER_IO_THREADS or the key server.io_threads"));
}

TEST(Aliases, SayWhatTheirOwnValueMustBe) {
  EXPECT_THAT(read_environment({{"MAX_FILE_SIZE_GB", "big"}}).problems,
              ElementsAre(R"(download.max_bytes = "big" (MAX_FILE_SIZE_GB): must be a number of GiB)"));
  EXPECT_THAT(read_environment({{"REQUIRE_API_KEY", "maybe"}}).problems,
              ElementsAre(R"(auth.mode = "maybe" (REQUIRE_API_KEY): must be true or false)"));
}

TEST(Platform, NamesThePublicUrlWithoutAWord) {
  const Reading reading = read_platform({{"RAILWAY_PUBLIC_DOMAIN", "x.up.railway.app"}});
  EXPECT_THAT(described(reading), ElementsAre(R"(server.public_url="https://x.up.railway.app")"));
  EXPECT_THAT(reading.warnings, IsEmpty());
}

TEST(Platform, NamesTheEnvironmentAndWhetherToDebug) {
  const Reading reading = read_platform({{"ENVIRONMENT", "staging"}, {"DEBUG", "app:*"}});
  EXPECT_THAT(described(reading),
              testing::UnorderedElementsAre(R"(storage.backend="local")", R"(server.environment="staging")",
                                            R"(server.debug="false")"));
}

TEST(Flags, LetTheLastOneOfANameWin) {
  EXPECT_THAT(described(read_flags({{"server.port", "1"}, {"server.host", "h"}, {"server.port", "2"}})),
              ElementsAre(R"(server.host="h")", R"(server.port="2")"));
}

TEST(Flags, RefuseAnUnknownNameAndGuessTheOneMeant) {
  EXPECT_THAT(read_flags({{"server.ports", "1"}}).problems,
              ElementsAre("--server.ports is not a known flag; did you mean --server.port?"));
}

TEST(File, GivesTypedValuesWithTheirLines) {
  const TemporaryFile file("t.toml",
                           "[server]\nport = 81\n[policy]\nyoutube_only = true\nallowed_domains = ['a.b']\n"
                           "[storage]\nretention_hours = 0.5\n");
  const Reading reading = read_file(file.path);
  EXPECT_THAT(described(reading), testing::UnorderedElementsAre("server.port=81", "policy.youtube_only=true",
                                                                R"(policy.allowed_domains=["a.b"])",
                                                                "storage.retention_hours=5E-1"));
  for (const Setting& setting : reading.settings) {
    if (setting.key->name() == "server.port") EXPECT_EQ(setting.origin, file.path.string() + ":2");
  }
}

TEST(File, RefusesUnknownKeysWithTheirLine) {
  const TemporaryFile file("t.toml", "[server]\nprot = 81\n[extra.deep]\nx = 1\n[server.tls]\ny = 2\n");
  EXPECT_THAT(read_file(file.path).problems,
              testing::UnorderedElementsAre(
                  HasSubstr("t.toml:2: server.prot is not a known key; did you mean server.port?"),
                  HasSubstr("extra.deep is not a known key"), HasSubstr("server.tls is not a known key")));
}

TEST(File, SaysWhereItIsNotToml) {
  const TemporaryFile file("t.toml", "[server]\nport = \n");
  EXPECT_THAT(read_file(file.path).problems, ElementsAre(HasSubstr("t.toml:2: ")));
}

TEST(File, CannotBeAFolderMissingOrHuge) {
  const TemporaryFile huge("t.toml", std::string((1 << 20) + 1, '#'));
  EXPECT_THAT(read_file(huge.path).problems, ElementsAre(HasSubstr("it is larger than 1 MiB")));
  EXPECT_THAT(read_file(huge.path.parent_path()).problems, ElementsAre(HasSubstr("cannot be read")));
  EXPECT_THAT(read_file(huge.path.parent_path() / "none").problems, ElementsAre(HasSubstr("No such file")));
}

TEST(File, NestsNoDeeperThanItsKeys) {
  const TemporaryFile file("t.toml", "[server]\nport = 2020-01-01\n[policy]\nallowed_domains = [['a']]\n");
  for (const Setting& setting : read_file(file.path).settings)
    EXPECT_FALSE(normalise(*setting.key, setting.value));
}

TEST(File, MayBeJsonAndUseTheOlderFlatNames) {
  const TemporaryFile file("t.json", R"({"output_path":"/d","use_aria2":true,"server":{"port":82}})");
  const Reading reading = read_file(file.path);
  EXPECT_THAT(described(reading), ElementsAre(R"(storage.dir="/d")", "server.port=82"));
  EXPECT_THAT(reading.warnings, ElementsAre(HasSubstr("output_path is a deprecated name: use storage.dir"),
                                            HasSubstr("use_aria2 has no effect yet")));
}

TEST(ProblemLine, MasksSecretsAndShortensLongValues) {
  EXPECT_EQ(problem_line({find_key("auth.api_key"), "s3cret", "API_KEY"}, "is wrong"),
            "auth.api_key = *** (API_KEY): is wrong");
  EXPECT_LT(
      problem_line({find_key("server.host"), json::value(std::string(5000, 'x')), "HOST"}, "is wrong").size(),
      200u);
}

}  // namespace
}  // namespace trawl::server
