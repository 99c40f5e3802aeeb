#include "net/detail/dial.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace trawl::net::detail {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

Task<error_code> connect_until(tcp::socket& socket, tcp::endpoint peer, Clock::time_point deadline) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(socket.get_executor(), deadline);
  const auto first = co_await (socket.async_connect(peer, as_result) || timer.async_wait(as_result));
  if (first.index() == 1) co_return asio::error::timed_out;
  co_return std::get<0>(std::get<0>(first));
}

// What is at the other end really is what was judged.
Result<void> check_peer(const EgressPolicy& policy, const tcp::socket& socket, const tcp::endpoint& dialled) {
  error_code error;
  const auto remote = socket.remote_endpoint(error);
  const auto local = error ? tcp::endpoint() : socket.local_endpoint(error);
  if (error) return fail(Errc::unavailable, "the peer closed the connection at once", "connect_failed");
  if (remote != dialled) {
    return fail(Errc::forbidden,
                fmt::format("connections to {} are not allowed: {} was dialled", remote.address().to_string(),
                            dialled.address().to_string()),
                "address_not_allowed");
  }
  return policy.judge_peer(remote.address(), remote.port(), local.address());
}

std::unexpected<Error> connect_failed(const tcp::endpoint& peer, const error_code& error) {
  const auto where = fmt::format("{} port {}", peer.address().to_string(), peer.port());
  if (error == asio::error::timed_out) {
    return fail(Errc::timeout, fmt::format("{} did not answer in time", where), "connect_timeout");
  }
  return fail(Errc::unavailable, fmt::format("cannot connect to {}: {}", where, error.message()),
              "connect_failed");
}

}  // namespace

Task<Result<tcp::endpoint>> connect_first(tcp::socket& socket, std::vector<asio::ip::address> addresses,
                                          std::uint16_t port, Clock::duration limit) {
  const auto deadline = Clock::now() + limit;
  Result<tcp::endpoint> outcome =
      fail(Errc::unavailable, "there is no address to connect to", "connect_failed");
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const tcp::endpoint peer(addresses[i], port);
    error_code error;
    socket.close(error);
    socket.open(peer.protocol(), error);
    if (!error) {
      const auto now = Clock::now();
      const auto share = (deadline - now) / static_cast<long>(addresses.size() - i);
      error = co_await connect_until(socket, peer, now + share);
    }
    if (!error) {
      socket.set_option(tcp::no_delay(true), error);
      co_return peer;
    }
    outcome = connect_failed(peer, error);
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) break;
  }
  error_code ignored;
  socket.close(ignored);
  co_return outcome;
}

Task<Result<void>> dial(const EgressPolicy& policy, tcp::socket& socket,
                        std::vector<asio::ip::address> addresses, std::uint16_t port, Clock::duration limit) {
  const auto peer = co_await connect_first(socket, std::move(addresses), port, limit);
  if (!peer) co_return fail(peer.error());
  auto checked = check_peer(policy, socket, *peer);
  error_code ignored;
  if (!checked) socket.close(ignored);
  co_return checked;
}

}  // namespace trawl::net::detail
