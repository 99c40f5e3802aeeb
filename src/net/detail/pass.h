#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"
#include "net/egress_proxy.h"

namespace trawl::net::detail {

class Connection;

// What the proxy knows of one job. Outlives the job's Pass until its last connection has ended.
struct JobAccount {
  using OnLimit = std::function<void(std::string_view reason)>;
  explicit JobAccount(EgressProxy::Terms given, OnLimit hook = {})
      : terms(std::move(given)), on_limit(std::move(hook)) {}

  EgressProxy::Terms terms;
  std::string service_name;  // The host by which this job asks the service; empty: there is none.
  OnLimit on_limit;
  std::optional<Error> refusal;
  std::optional<Error> upstream_failure;
  EgressProxy::Traffic traffic;
  std::unordered_set<Connection*> connections;

  void refuse(Error error);
  // Counts, and ends every connection once the job has moved more than it may. False then.
  bool receive(std::uint64_t bytes);
  bool send(std::uint64_t bytes);
  // What there is to say to a job that has moved too much.
  [[nodiscard]] std::optional<Error> exhausted() const;

  // Ends every connection; their coroutines unwind by themselves.
  void close();

 private:
  bool check();
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
