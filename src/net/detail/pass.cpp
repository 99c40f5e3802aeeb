#include "net/detail/pass.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/id.h"
#include "base/sha256.h"
#include "net/detail/connection.h"

namespace trawl::net::detail {

void JobAccount::refuse(Error error) {
  const bool news = refusal != error;
  refusal = std::move(error);
  if (news && terms.on_refusal) terms.on_refusal(*refusal);
}

bool JobAccount::receive(std::uint64_t bytes) {
  traffic.received += bytes;
  return check();
}

bool JobAccount::send(std::uint64_t bytes) {
  traffic.sent += bytes;
  return check();
}

std::optional<Error> JobAccount::exhausted() const {
  if (terms.max_bytes == 0 || traffic.received + traffic.sent <= terms.max_bytes) return std::nullopt;
  return Error{Errc::too_large,
               fmt::format("the download has moved more than {} through the proxy, more than it may",
                           to_text(ByteCount{static_cast<std::int64_t>(terms.max_bytes)})),
               "too_much_traffic"};
}

bool JobAccount::check() {
  auto error = exhausted();
  if (!error) return true;
  if (on_limit) on_limit(error->reason);
  refuse(std::move(*error));
  close();
  return false;
}

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
