#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "async/task.h"
#include "net/detail/proxy_head.h"
#include "net/detail/watchdog.h"

namespace trawl::net::detail {

inline constexpr std::size_t kRelayBuffer = 64 << 10;

using RequestParser = http::request_parser<http::buffer_body>;
using ResponseParser = http::response_parser<http::buffer_body>;

// One direction between two sockets. All that it points to outlives the relaying.
struct Flow {
  asio::ip::tcp::socket& from;
  boost::beast::flat_buffer& ahead;  // Read from `from` already, not yet passed on.
  asio::ip::tcp::socket& to;
  std::span<char> buffer;
  Watchdog& watchdog;
  std::function<bool(std::uint64_t)> count;  // Takes what was read; false: enough, stop.
};

// Passes bytes on until `from` ends, then shuts down sending on `to`. An error in either closes
// both, which ends the opposite direction too.
[[nodiscard]] Task<void> pump(Flow flow);

struct RelayErrors {
  boost::system::error_code source;
  boost::system::error_code sink;
  [[nodiscard]] bool none() const { return !source && !sink; }
};

// Writes `head` and then what is left of the message in `parser`, framed as `framing` says.
template <bool is_request>
[[nodiscard]] Task<RelayErrors> relay_message(Flow flow, http::parser<is_request, http::buffer_body>& parser,
                                              std::string head, Framing framing);

extern template Task<RelayErrors> relay_message<true>(Flow, RequestParser&, std::string, Framing);
extern template Task<RelayErrors> relay_message<false>(Flow, ResponseParser&, std::string, Framing);

}  // namespace trawl::net::detail
