#pragma once

#include <optional>
#include <string>

#include "async/scope.h"
#include "net/egress_proxy.h"

namespace trawl::server {

// Whether the provider of PO tokens answers, asked every now and then.
class PotWatch {
 public:
  using Provider = std::optional<net::EgressProxy::Options::Service>;
  PotWatch(asio::any_io_executor executor, Provider provider)
      : executor_(executor), provider_(std::move(provider)), scope_(executor) {}

  void start();
  [[nodiscard]] Task<void> stop() { return scope_.close(); }

  // "reachable" or "unreachable"; nothing without a provider, and before it was asked for the first time.
  [[nodiscard]] const std::optional<std::string>& state() const { return state_; }

 private:
  [[nodiscard]] Task<void> watch();
  [[nodiscard]] Task<bool> answers();

  asio::any_io_executor executor_;
  const Provider provider_;
  std::optional<std::string> state_;
  Scope scope_;
};

}  // namespace trawl::server
