#include "server/pot_watch.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "base/log.h"
#include "net/resolve.h"

namespace trawl::server {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
namespace http = boost::beast::http;

constexpr auto kAgain = 20s;
constexpr auto kPatience = 5s;

std::vector<tcp::endpoint> endpoints(const std::vector<asio::ip::address>& addresses, std::uint16_t port) {
  std::vector<tcp::endpoint> out;
  for (const auto& address : addresses) out.emplace_back(address, port);
  return out;
}

// The status of GET /ping; 0 without an answer. Closing the socket ends it.
Task<unsigned> ping(tcp::socket& socket, std::vector<tcp::endpoint> where, std::string host) {
  const auto [refused, peer] = co_await asio::async_connect(socket, where, as_result);
  if (refused) co_return 0;
  http::request<http::empty_body> request(http::verb::get, "/ping", 11);
  request.set(http::field::host, host);
  request.set(http::field::connection, "close");
  const auto [unsent, written] = co_await http::async_write(socket, request, as_result);
  if (unsent) co_return 0;
  boost::beast::flat_buffer buffer;
  http::response_parser<http::empty_body> answer;
  const auto [silent, read] = co_await http::async_read_header(socket, buffer, answer, as_result);
  co_return silent ? 0 : answer.get().result_int();
}

}  // namespace

void PotWatch::start() {
  if (provider_) scope_.spawn("watch the provider of PO tokens", watch());
}

Task<void> PotWatch::watch() {
  for (;;) {
    const std::string now = co_await answers() ? "reachable" : "unreachable";
    if (state_ != now && now == "unreachable")
      log_warn("the provider of PO tokens cannot be reached (engine.pot_provider)");
    else if (state_ != now)
      log_info("the provider of PO tokens answers");
    state_ = now;
    co_await sleep_for(kAgain);
  }
}

// The operator named it, so nothing is judged here, as nothing is when a job asks it.
Task<bool> PotWatch::answers() {
  const auto found = co_await net::resolve(provider_->host, kPatience);
  if (!found) co_return false;
  const auto socket = std::make_shared<tcp::socket>(executor_);
  asio::steady_timer deadline(executor_, kPatience);
  deadline.async_wait([socket](boost::system::error_code cancelled) {
    boost::system::error_code ignored;
    if (!cancelled) socket->close(ignored);
  });
  const unsigned status = co_await ping(*socket, endpoints(*found, provider_->port), provider_->host);
  co_return status >= 200 && status < 500;
}

}  // namespace trawl::server
