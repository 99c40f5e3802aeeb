#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/describe.h"
#include "base/json.h"
#include "server/config.h"

namespace trawl::server {

enum class KeyKind { boolean, whole_number, number, size, text, choice, list };

// A key as its section's description tells it.
struct Key {
  std::string section;      // "storage.s3"
  std::string_view member;  // The member of Config: "storage_s3".
  FieldRule rule;
  KeyKind kind = KeyKind::text;
  std::vector<std::string_view> choices;  // Of a choice: each value's canonical spelling.
  json::value initial;                    // What encode() makes of the default.

  [[nodiscard]] std::string name() const;  // "server.port"
  [[nodiscard]] std::string env() const;   // "TRAWL_SERVER_PORT"
};

// Every key, in the order of the description.
[[nodiscard]] const std::vector<Key>& all_keys();
[[nodiscard]] const Key* find_key(std::string_view name);

// Checks one value and gives it in the form encode() uses, so that equal settings compare equal
// however they were written ("10GiB", 10737418240). Text may stand for any kind; a list is split at
// commas. Otherwise, what the value must be.
[[nodiscard]] std::expected<json::value, std::string> normalise(const Key& key, json::value value);

// The default as people read it when it depends on other keys; otherwise empty.
[[nodiscard]] std::string_view derived_default(const Key& key);

// A size as people write it, without loss: "10GiB", "1536".
[[nodiscard]] std::string exact_size(std::int64_t bytes);

// How a line about an unknown name ends: the known name that was probably meant, spelt the same way
// (`spelling` turns a key into a variable or a flag), or where to look.
[[nodiscard]] std::string suggestion(std::string_view unknown, std::string (*spelling)(const Key& key));

}  // namespace trawl::server
