#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "async/task.h"
#include "base/result.h"
#include "net/egress.h"

namespace trawl::net::detail {

// Connects `socket` to the first of `addresses` that answers, all within `limit`, each getting an equal
// share of what is left. Errc::unavailable ("connect_failed") or Errc::timeout ("connect_timeout").
// Closing the socket ends the attempt.
[[nodiscard]] Task<Result<asio::ip::tcp::endpoint>> connect_first(asio::ip::tcp::socket& socket,
                                                                  std::vector<asio::ip::address> addresses,
                                                                  std::uint16_t port,
                                                                  std::chrono::steady_clock::duration limit);

// The same for judged addresses, and then looks who answered: Errc::forbidden ("address_not_allowed") if
// the peer turns out to be this machine although nobody opened it.
[[nodiscard]] Task<Result<void>> dial(const EgressPolicy& policy, asio::ip::tcp::socket& socket,
                                      std::vector<asio::ip::address> addresses, std::uint16_t port,
                                      std::chrono::steady_clock::duration limit);

}  // namespace trawl::net::detail
