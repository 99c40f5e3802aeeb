#include "server/config_print.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/id.h"
#include "base/json.h"

namespace trawl::server {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(PrintConfig, TellsValuesAndWhoSetThem) {
  const auto loaded =
      load_config({.env = {{"PORT", "81"}}, .flags = {{"policy.denied_domains", "a.com,b.com"}}});
  const std::string text = print_config(*loaded, PrintFormat::toml);
  EXPECT_THAT(text, testing::ContainsRegex("\nport = 81 +# PORT\n"));
  EXPECT_THAT(text, testing::ContainsRegex("\nmax_bytes = '10GiB' +# default\n"));
  EXPECT_THAT(text,
              testing::ContainsRegex("\ndenied_domains = .'a.com', 'b.com'. +# --policy.denied_domains\n"));
}

TEST(PrintConfig, MasksSecretsInEveryFormat) {
  const auto loaded = load_config({.env = {{"API_KEY", "hunter2"}}});
  for (const auto format : {PrintFormat::toml, PrintFormat::json}) {
    const std::string text = print_config(*loaded, format);
    EXPECT_THAT(text, Not(HasSubstr("hunter2")));
    EXPECT_THAT(text, HasSubstr("********"));
    EXPECT_THAT(print_config(*load_config({}), format), Not(HasSubstr("********")));
  }
}

TEST(PrintConfig, PrintsTomlThatReadsBackTheSame) {
  const auto loaded = load_config({.flags = {{"storage.dir", "a 'b' \"c\"\n\x7f\\d"},
                                             {"download.rate_limit_bytes", "1536"},
                                             {"storage.retention_hours", "0.3"},
                                             {"engine.plugin_dirs", "/x,/y z"}}});
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto file = std::filesystem::temp_directory_path() / ("trawl-print-" + random_hex(8) + ".toml");
  std::ofstream(file, std::ios::binary) << print_config(*loaded, PrintFormat::toml);
  const auto again = load_config({.file = file});
  std::filesystem::remove(file);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(encode(again->config), encode(loaded->config));
}

TEST(PrintConfig, GivesProgramsValueAndOrigin) {
  const auto parsed = parse_json(print_config(*load_config({.env = {{"PORT", "81"}}}), PrintFormat::json));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->at("server").at("port"), (json::object{{"value", 81}, {"origin", "PORT"}}));
  EXPECT_EQ(parsed->at("server").at("host").at("origin"), "default");
}

TEST(ConfigReference, IsThePageInTheDocumentation) {
  std::ifstream in(TRAWL_REFERENCE_PAGE, std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(page, config_reference()) << "write it anew: trawl config --reference > docs/configuration.md";
}

}  // namespace
}  // namespace trawl::server
