#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"

namespace trawl::net::detail {

class Connection;

// What the proxy knows of one job. Outlives the job's Pass until its last connection has ended.
struct JobAccount {
  std::optional<Error> refusal;
  std::uint64_t bytes_received = 0;
  std::unordered_set<Connection*> connections;

  // Ends every connection; their coroutines unwind by themselves.
  void close();
};

// The tokens that are valid now. Kept and looked up by digest, so that how long a look-up takes
// says nothing about a token.
class TokenBook {
 public:
  // Makes an account and a new token for it.
  [[nodiscard]] std::string issue(const std::shared_ptr<JobAccount>& account);
  void revoke(std::string_view token);
  [[nodiscard]] std::shared_ptr<JobAccount> find(std::string_view token) const;

 private:
  std::map<std::string, std::shared_ptr<JobAccount>, std::less<>> by_digest_;
};

}  // namespace trawl::net::detail
