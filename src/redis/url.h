#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace trawl::redis {

// Where a Redis server is: redis://[[user]:password@]host[:port][/database]
struct Address {
  std::string host;
  int port = 6379;
  std::string user, password;
  int database = 0;
  friend bool operator==(const Address&, const Address&) = default;
};

// The message of a refusal does not repeat the URL, which may hold a password.
[[nodiscard]] Result<Address> parse_url(std::string_view url);

}  // namespace trawl::redis
