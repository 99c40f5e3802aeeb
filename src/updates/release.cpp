#include "updates/release.h"

#include <algorithm>
#include <charconv>
#include <regex>
#include <vector>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace trawl::updates {
namespace {

struct Asset {
  std::string name;
  std::string browser_download_url;
};
BOOST_DESCRIBE_STRUCT(Asset, (), (name, browser_download_url))

struct Index {
  std::string tag_name;
  std::vector<Asset> assets;
};
BOOST_DESCRIBE_STRUCT(Index, (), (tag_name, assets))

std::unexpected<Error> bad(std::string_view why) {
  return fail(Errc::invalid, fmt::format("the index of releases {}", why), "bad_release_index");
}

std::vector<int> numbers_of(std::string_view version) {
  std::vector<int> out;
  for (const auto& part : split(version, '.')) {
    int number = 0;
    std::from_chars(part.data(), part.data() + part.size(), number);
    out.push_back(number);
  }
  return out;
}

}  // namespace

Result<Release> read_index(std::string_view text) {
  const auto document = parse_json(text);
  if (!document) return bad("is no JSON");
  const auto index = decode_own<Index>(*document, "index");
  if (!index) return bad("does not say what a release has: " + index.error().message);
  if (!is_version(index->tag_name)) return bad(fmt::format("names no version: {}", index->tag_name));
  const auto address = [&](std::string_view name) -> std::string {
    const auto found = std::ranges::find(index->assets, name, &Asset::name);
    return found == index->assets.end() ? "" : found->browser_download_url;
  };
  Release release{index->tag_name, address(kProgram), address(kChecksums)};
  if (release.program.empty() || release.checksums.empty())
    return bad(fmt::format("has no {} with {}", kProgram, kChecksums));
  return release;
}

Result<std::string> checksum_of(std::string_view list, std::string_view name) {
  static const std::regex line(R"(([0-9a-fA-F]{64}) [ *](\S+)\s*)");
  for (const auto& text : split(list, '\n')) {
    std::match_results<std::string_view::const_iterator> found;
    const std::string_view view(text);
    if (view.size() < 500 && std::regex_match(view.begin(), view.end(), found, line) &&
        found[2].str() == name)
      return to_lower(found[1].str());
  }
  return fail(Errc::invalid, fmt::format("the list of checksums has none for {}", name), "no_checksum");
}

bool is_version(std::string_view text) {
  static const std::regex version(R"(\d{1,6}(\.\d{1,6}){1,4})");
  return std::regex_match(text.begin(), text.end(), version);
}

bool is_newer(std::string_view version, std::string_view other) {
  return other.empty() || numbers_of(version) > numbers_of(other);
}

}  // namespace trawl::updates
