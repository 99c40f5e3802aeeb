#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "async/task.h"
#include "base/result.h"
#include "net/egress.h"

namespace trawl::net::detail {

// Connects `socket` to the first of the judged `addresses` that answers, all within `limit`, each
// getting an equal share of what is left. Errc::unavailable ("connect_failed"), Errc::timeout
// ("connect_timeout"), or Errc::forbidden ("address_not_allowed") if the peer turns out to be this
// machine although private networks are closed. Closing the socket ends the attempt.
[[nodiscard]] Task<Result<void>> dial(const EgressPolicy& policy, asio::ip::tcp::socket& socket,
                                      std::vector<asio::ip::address> addresses, std::uint16_t port,
                                      std::chrono::steady_clock::duration limit);

}  // namespace trawl::net::detail
