#include "base/id.h"

#include <mutex>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/rand.h>

namespace trawl {
namespace {

void fill_random(std::uint8_t* out, std::size_t size) {
  if (RAND_bytes(out, static_cast<int>(size)) != 1)
    throw std::runtime_error("the system's random source failed");
}

// RFC 9562 section 6.2, method 1: a 12-bit counter in rand_a keeps ids of one millisecond in order.
struct Sequence {
  std::mutex mutex;
  std::uint64_t last = 0;  // (milliseconds << 12) | counter

  std::uint64_t next(std::uint64_t millis) {
    const std::lock_guard lock(mutex);
    last = std::max(last + 1, millis << 12);
    return last;
  }
};

Sequence& sequence() {
  static Sequence instance;
  return instance;
}

}  // namespace

Uuid Uuid::make(SystemTime now) {
  Uuid id;
  fill_random(id.bytes_.data(), id.bytes_.size());
  const std::uint64_t stamp = sequence().next(static_cast<std::uint64_t>(now.time_since_epoch().count()));
  for (int i = 0; i < 6; ++i)
    id.bytes_[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(stamp >> (52 - 8 * i));
  id.bytes_[6] = static_cast<std::uint8_t>(0x70 | ((stamp >> 8) & 0x0f));
  id.bytes_[7] = static_cast<std::uint8_t>(stamp);
  id.bytes_[8] = static_cast<std::uint8_t>(0x80 | (id.bytes_[8] & 0x3f));
  return id;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  const auto bad = [&] {
    return fail(Errc::invalid, fmt::format("'{}' is not a UUID", text.substr(0, 64)), "invalid_id");
  };
  if (text.size() != 36) return bad();
  Uuid id;
  std::size_t digit = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (c != '-') return bad();
      continue;
    }
    int value = 0;
    if (c >= '0' && c <= '9')
      value = c - '0';
    else if (c >= 'a' && c <= 'f')
      value = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
      value = c - 'A' + 10;
    else
      return bad();
    auto& byte = id.bytes_[digit / 2];
    byte = static_cast<std::uint8_t>(digit % 2 == 0 ? value << 4 : byte | value);
    ++digit;
  }
  return id;
}

std::string Uuid::str() const {
  std::string out;
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    fmt::format_to(std::back_inserter(out), "{:02x}", bytes_[i]);
  }
  return out;
}

SystemTime Uuid::made_at() const {
  std::int64_t millis = 0;
  for (std::size_t i = 0; i < 6; ++i) millis = millis << 8 | bytes_[i];
  return SystemTime(Millis(millis));
}

bool Uuid::nil() const {
  return *this == Uuid();
}

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  fill_random(reinterpret_cast<std::uint8_t*>(raw.data()), bytes);
  std::string out;
  for (const char c : raw) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace trawl
