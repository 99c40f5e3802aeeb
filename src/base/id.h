#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace trawl {

// A UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then randomness, so ids sort by the
// time they were made.
class Uuid {
 public:
  Uuid() = default;  // The nil UUID: "no id".

  // Ids made in one process are strictly increasing, also within one millisecond.
  [[nodiscard]] static Uuid make(SystemTime now);
  // Accepts the 36-character text form, in either case.
  [[nodiscard]] static Result<Uuid> parse(std::string_view text);

  [[nodiscard]] std::string str() const;  // 36 characters, lower case.
  [[nodiscard]] bool nil() const;
  [[nodiscard]] SystemTime made_at() const;  // By the clock of who made it.

  friend auto operator<=>(const Uuid&, const Uuid&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

// One type per kind of thing, so that a batch id cannot stand where a job id belongs.
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(Uuid uuid) : uuid_(uuid) {}

  [[nodiscard]] static Id make(SystemTime now) { return Id(Uuid::make(now)); }
  [[nodiscard]] static Result<Id> parse(std::string_view text) {
    auto uuid = Uuid::parse(text);
    if (!uuid) return fail(std::move(uuid.error()));
    return Id(*uuid);
  }
  [[nodiscard]] std::string str() const { return uuid_.str(); }
  [[nodiscard]] bool nil() const { return uuid_.nil(); }
  [[nodiscard]] SystemTime made_at() const { return uuid_.made_at(); }

  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  Uuid uuid_;
};

using JobId = Id<struct JobTag>;
using ArtifactId = Id<struct ArtifactTag>;

// `bytes` bytes from the system's random source, as lower-case hex.
[[nodiscard]] std::string random_hex(std::size_t bytes);

}  // namespace trawl
