#include "net/detail/pass.h"

#include "base/id.h"
#include "base/sha256.h"
#include "net/detail/connection.h"

namespace trawl::net::detail {

void JobAccount::close() {
  for (Connection* connection : connections) connection->abort();
}

std::string TokenBook::issue(const std::shared_ptr<JobAccount>& account) {
  std::string token = random_hex(16);
  by_digest_.emplace(sha256_hex(token), account);
  return token;
}

void TokenBook::revoke(std::string_view token) {
  by_digest_.erase(sha256_hex(token));
}

std::shared_ptr<JobAccount> TokenBook::find(std::string_view token) const {
  const auto place = by_digest_.find(sha256_hex(token));
  return place == by_digest_.end() ? nullptr : place->second;
}

}  // namespace trawl::net::detail
