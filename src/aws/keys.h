#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace trawl::aws {

// What signs requests. Never logged.
struct Keys {
  std::string access, secret;
  std::string token = {};                               // Of a session; empty for keys that last.
  std::optional<SystemTime> expires_at = std::nullopt;  // Of keys that do not last.

  [[nodiscard]] bool given() const { return !access.empty() && !secret.empty(); }
  friend bool operator==(const Keys&, const Keys&) = default;
};

}  // namespace trawl::aws
