#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/json.h"
#include "db/database.h"

namespace trawl::downloads {

// A named set of download options, as little of them as somebody chose to set.
struct Preset {
  std::string name;
  std::string description;
  json::object options;
  bool configured = false;  // From the configuration: for everybody, and nobody's to change.
  std::optional<SystemTime> created_at, updated_at;
};
BOOST_DESCRIBE_STRUCT(Preset, (), (name, description, options, configured, created_at, updated_at))

inline constexpr std::string_view kDefaultPreset = "default";

[[nodiscard]] std::optional<std::string> check_preset_name(std::string_view text);

// What is wrong with the options of a preset; nothing when a download could have them.
[[nodiscard]] std::vector<Problem> check_preset_options(const json::object& options);

// `body` with what it leaves open taken from `options`. A member of `body` counts by either of its spellings,
// and also against options that answer the same question otherwise: `quality` against `custom_format`.
[[nodiscard]] json::object with_preset(const json::object& body, const json::object& options);

// Reads a file of presets: {"NAME": {"description": "...", OPTION: VALUE, ...}, ...}. Errc::invalid.
[[nodiscard]] Result<std::map<std::string, Preset, std::less<>>> read_presets(std::string_view text);

// The presets of the configuration, and those that people keep: each has their own, which hide configured
// ones of the same name. One called "default" is meant by whoever names none.
class Presets {
 public:
  Presets(db::Database& database, std::map<std::string, Preset, std::less<>> configured)
      : database_(database), configured_(std::move(configured)) {}

  [[nodiscard]] Task<Result<std::vector<Preset>>> list(std::string tenant);       // By name.
  [[nodiscard]] Task<Result<Preset>> find(std::string tenant, std::string name);  // Errc::not_found
  // Errc::conflict, reason "preset_exists", unless `replace`; Errc::rate_limited, reason "too_many_presets".
  [[nodiscard]] Task<Result<Preset>> put(std::string tenant, Preset preset, bool replace);
  [[nodiscard]] Task<Result<void>> remove(std::string tenant, std::string name);  // Errc::not_found

  // The body of a submission after its `preset`, which is taken out of it. Errc::invalid, reason
  // "unknown_preset".
  [[nodiscard]] Task<Result<json::object>> apply(std::string tenant, json::object body);

 private:
  db::Database& database_;
  std::map<std::string, Preset, std::less<>> configured_;
};

}  // namespace trawl::downloads
