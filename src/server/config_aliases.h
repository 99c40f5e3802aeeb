#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace trawl::server {

// A name that an earlier service used for one of our keys.
struct Alias {
  std::string_view name;
  std::string_view key;
  // Turns its value into the key's, or says what it must be; absent when they are the same.
  std::expected<std::string, std::string> (*convert)(std::string_view text) = nullptr;
};

[[nodiscard]] std::span<const Alias> env_aliases();
// Names at the top level of a configuration file.
[[nodiscard]] std::span<const Alias> file_aliases();
// Variables a hosting platform sets by itself: used when nobody else sets the key, without a word.
[[nodiscard]] std::span<const Alias> platform_aliases();

// Names of the earlier services for which there is no key.
[[nodiscard]] bool env_without_effect(std::string_view name);
[[nodiscard]] bool file_key_without_effect(std::string_view name);

// Container orchestrators describe a service called "trawl" to its neighbours in variables such as
// TRAWL_PORT=tcp://10.0.0.1:8080 and TRAWL_SERVICE_HOST. They are not ours, whatever their name.
[[nodiscard]] bool injected_by_orchestrator(std::string_view name, std::string_view value);

}  // namespace trawl::server
