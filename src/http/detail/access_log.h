#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "http/message.h"

namespace trawl::http::detail {

// What is said about a request when its answer has been sent. Never the query: it may hold keys.
struct AccessRecord {
  explicit AccessRecord(const Request& request);

  std::string request_id, method, path, client_ip, user_agent;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();

  [[nodiscard]] std::chrono::steady_clock::duration elapsed() const {
    return std::chrono::steady_clock::now() - started;
  }
  // `bytes` counts the body only.
  void write(int status, std::uint64_t bytes) const;
};

}  // namespace trawl::http::detail
