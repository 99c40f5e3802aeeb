#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "async/task.h"
#include "base/result.h"
#include "net/upstream.h"

namespace trawl::net::detail {

// Asks the upstream at the other end of `socket` for a connection to `host` (a name or an address) and
// `port`. What is read afterwards comes from there. Errc::unavailable ("upstream_failed", with what the
// upstream said but without its credentials) or Errc::timeout ("upstream_timeout"). Closing the socket
// ends the attempt.
[[nodiscard]] Task<Result<void>> ask_upstream(asio::ip::tcp::socket& socket, const Upstream& upstream,
                                              std::string host, std::uint16_t port,
                                              std::chrono::steady_clock::duration limit);

}  // namespace trawl::net::detail
