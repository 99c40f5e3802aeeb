#include "cli/options.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/completion.h"

namespace trawl::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Arguments = std::vector<std::string>;

template <class T>
T command(const Arguments& arguments) {
  const auto line = parse_command_line(arguments);
  if (!line) throw std::runtime_error(line.error().text);
  return std::get<T>(line->command);
}

Exit refusal(const Arguments& arguments) {
  const auto line = parse_command_line(arguments);
  return line ? Exit{-1, "accepted"} : line.error();
}

TEST(Get, HasDefaultsThatNeedNothingButAUrl) {
  const auto get = command<GetOptions>({"get", "http://a"});
  EXPECT_THAT(get.urls, ElementsAre("http://a"));
  EXPECT_EQ(get.directory, ".");
  EXPECT_EQ(get.quality, "best");
  EXPECT_TRUE(get.metadata);
  EXPECT_FALSE(get.audio_format || get.cookies || get.parallel || get.json || get.quiet || get.allow_private);
}

TEST(Get, TakesItsOptionsBetweenUrls) {
  const auto get =
      command<GetOptions>({"get", "u", "-o", "Videos", "--quality", "720p", "v", "--subs", "en,pt-BR",
                           "--no-metadata", "--allow-private", "--json", "-j", "4", "w"});
  EXPECT_THAT(get.urls, ElementsAre("u", "v", "w"));
  EXPECT_EQ(get.directory, "Videos");
  EXPECT_EQ(get.quality, "720p");
  EXPECT_THAT(get.subtitle_languages, ElementsAre("en", "pt-BR"));
  EXPECT_EQ(get.parallel, 4);
  EXPECT_TRUE(!get.metadata && get.allow_private && get.json);
  EXPECT_EQ(command<GetOptions>({"get", "--audio", "mp3", "-q", "u"}).audio_format, "mp3");
}

TEST(Get, RefusesWhatItCannotDo) {
  const std::pair<Arguments, const char*> refusals[] = {
      {{"get"}, "URL is required"},
      {{"get", "--quality", "5p", "u"}, "--quality"},
      {{"get", "--audio", "mp4", "u"}, "--audio"},
      {{"get", "--audio", "mp3", "--quality", "720p", "u"}, "excludes"},
      {{"get", "--json", "--quiet", "u"}, "excludes"},
      {{"get", "--subs", "klingon", "u"}, "'klingon' is not a language"},
      {{"get", "--subs", "", "u"}, "'' is not a language"},
      {{"get", "-j", "0", "u"}, "not in range"},
      {{"get", "--cookies", "/nowhere/cookies.txt", "u"}, "/nowhere/cookies.txt"},
      {{"get", "--fast", "u"}, "--fast"},
  };
  for (const auto& [arguments, what] : refusals) {
    const Exit exit = refusal(arguments);
    EXPECT_EQ(exit.code, kExitUsage) << what;
    EXPECT_THAT(exit.text, HasSubstr(what));
    EXPECT_THAT(exit.text, HasSubstr("`trawl get --help`"));
  }
}

TEST(Settings, AreTakenOutWhereverTheyStand) {
  const auto line = parse_command_line(
      {"--server.port", "1", "get", "u", "--log.level=", "v", "--x.y=a=b", "--config", "c.toml"});
  ASSERT_TRUE(line) << line.error().text;
  EXPECT_THAT(std::get<GetOptions>(line->command).urls, ElementsAre("u", "v"));
  EXPECT_THAT(line->settings,
              ElementsAre(Pair("server.port", "1"), Pair("log.level", ""), Pair("x.y", "a=b")));
  EXPECT_EQ(line->config_file, "c.toml");
}

TEST(Settings, NeedAValue) {
  EXPECT_THAT(refusal({"serve", "--server.port"}).text, HasSubstr("--server.port needs a value"));
  EXPECT_THAT(refusal({"serve", "--server.port", "--log.level", "INFO"}).text,
              HasSubstr("--server.port needs a value"));
}

TEST(Settings, EndAtTwoDashes) {
  const auto line = parse_command_line({"get", "--", "--a.b"});
  ASSERT_TRUE(line) << line.error().text;
  EXPECT_THAT(std::get<GetOptions>(line->command).urls, ElementsAre("--a.b"));
  EXPECT_TRUE(line->settings.empty());
}

TEST(Commands, AreTheFiveThereAre) {
  EXPECT_NO_THROW(command<ServeOptions>({"serve"}));
  EXPECT_TRUE(command<ConfigOptions>({"config", "--json"}).json);
  EXPECT_TRUE(command<ConfigOptions>({"config", "--reference"}).reference);
  EXPECT_TRUE(command<VersionOptions>({"version", "--json"}).json);
  EXPECT_NO_THROW(command<VersionOptions>({"--version"}));
  EXPECT_NO_THROW(command<CompletionOptions>({"completion", "bash"}));
}

TEST(Commands, AreNotGuessed) {
  EXPECT_EQ(refusal({}).code, kExitUsage);
  EXPECT_THAT(refusal({}).text, HasSubstr("Usage: trawl"));
  EXPECT_EQ(refusal({"fetch", "u"}).text,
            "trawl: there is no command 'fetch'\n`trawl --help` tells what is possible.\n");
  EXPECT_THAT(refusal({"https://a/b"}).text, HasSubstr("trawl get https://a/b"));
  EXPECT_THAT(refusal({"--server.port", "1"}).text, HasSubstr("a command is missing"));
  EXPECT_EQ(refusal({"serve", "now"}).code, kExitUsage);
}

TEST(Help, GoesToStdoutAndTeachesByExample) {
  EXPECT_EQ(refusal({"--help"}).code, kExitDone);
  const Exit get = refusal({"get", "--help"});
  EXPECT_EQ(get.code, kExitDone);
  for (const char* part :
       {"Usage: trawl get", "Examples:", "Exit codes:", "--quality QUALITY", "-j,--jobs N "}) {
    EXPECT_THAT(get.text, HasSubstr(part));
  }
}

TEST(Completion, OffersCommandsOptionsAndSettings) {
  const std::string script = bash_completion({"server.port"});
  EXPECT_THAT(
      script,
      HasSubstr("words=\"get serve config policy backup restore version engine completion --help --version\""));
  EXPECT_THAT(script, HasSubstr("serve) words=\"--help --config --server.port\""));
  EXPECT_THAT(script, HasSubstr("completion) words=\"--help\""));
}

}  // namespace
}  // namespace trawl::cli
