#include <array>

#include "engine/engine.h"

namespace trawl::engine {
namespace {

// "client-version:os-version"; what is left out is empty.
std::array<std::string_view, 4> fields_of(std::string_view target) {
  const auto cut = [](std::string_view text, char at) {
    const auto place = text.find(at);
    return place == std::string_view::npos ? std::pair(text, std::string_view())
                                           : std::pair(text.substr(0, place), text.substr(place + 1));
  };
  const auto [browser, system] = cut(target, ':');
  const auto [client, version] = cut(browser, '-');
  const auto [os, os_version] = cut(system, '-');
  return {client, version, os, os_version};
}

bool matches(std::string_view wanted, std::string_view target) {
  const auto asked = fields_of(wanted), offered = fields_of(target);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!asked[i].empty() && !offered[i].empty() && asked[i] != offered[i]) return false;
  }
  return true;
}

}  // namespace

bool offers(const std::vector<std::string>& targets, std::string_view wanted) {
  return std::ranges::any_of(targets, [&](std::string_view target) { return matches(wanted, target); });
}

}  // namespace trawl::engine
