#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trawl {

using Millis = std::chrono::milliseconds;
using SystemTime = std::chrono::sys_time<Millis>;

// Where wall-clock time comes from, so that tests can move it (testing/fake_clock.h).
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual SystemTime now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] SystemTime now() const override;
};

// RFC 3339 in UTC with milliseconds: "2026-01-31T23:59:59.123Z".
[[nodiscard]] std::string to_iso8601(SystemTime time);

// Reads what to_iso8601 writes, also without fraction and with a numeric offset.
[[nodiscard]] Result<SystemTime> parse_iso8601(std::string_view text);

}  // namespace trawl
