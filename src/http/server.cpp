#include "http/server.h"

#include <list>
#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>

#include "async/event.h"
#include "async/scope.h"
#include "base/log.h"
#include "http/detail/connection.h"

namespace trawl::http {
namespace {

using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMaxTurnedAway = 64;  // Connections over the limit that still get an answer.
constexpr std::chrono::milliseconds kAcceptPause{100};

// tcp(7) lets the buffer of a peer that reads slowly, or never, grow to some MiB of the kernel's memory, and
// copying there what a thousand of them ask for would hold everybody else up. What is on its way is not
// counted, so that long fast links stay fast.
using UnsentLimit = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;
constexpr int kMostUnsent = 256 << 10;

class BeastServer final : public Server {
 public:
  BeastServer(asio::any_io_executor executor, BlockingPool& files, const Router& router,
              ServerOptions options)
      : executor_(executor),
        options_(std::move(options)),
        scope_(executor),
        gone_(executor),
        acceptor_(executor),
        context_{.router = router, .options = options_, .files = files, .scope = scope_} {}

  Task<Result<void>> start() override {
    tcp::resolver resolver(executor_);
    const auto flags = tcp::resolver::passive | tcp::resolver::numeric_service;
    auto [error, found] =
        co_await resolver.async_resolve(options_.host, std::to_string(options_.port), flags, as_result);
    if (error)
      co_return fail(Errc::unavailable, fmt::format("cannot resolve {}: {}", options_.host, error.message()));
    if (auto failed = listen(found.begin()->endpoint())) {
      error_code ignored;
      acceptor_.close(ignored);
      co_return fail(Errc::unavailable, fmt::format("cannot listen on {} port {}: {}", options_.host,
                                                    options_.port, failed.message()));
    }
    scope_.spawn("http accept", accept_all());
    co_return Result<void>();
  }

  Task<void> stop(std::chrono::milliseconds grace) override {
    context_.stopping = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (Connections::iterator next = connections_.begin(); next != connections_.end();) (next++)->drain();
    const auto end = std::chrono::steady_clock::now() + grace;
    while (!connections_.empty() && std::chrono::steady_clock::now() < end) {
      co_await gone_.wait_for(end - std::chrono::steady_clock::now());
    }
    for (Connections::iterator next = connections_.begin(); next != connections_.end();) (next++)->abort();
    co_await scope_.close();
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

 private:
  using Connections = std::list<detail::Connection>;

  error_code listen(const tcp::endpoint& endpoint) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(false), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
    return error;
  }

  Task<void> accept_all() {
    bool complained = false;
    while (acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(as_result);
      if (!error) {
        complained = false;
        admit(std::move(socket));
      } else if (error != asio::error::operation_aborted && error != asio::error::connection_aborted) {
        // Out of descriptors or memory: only time helps, and one line says it.
        if (!complained) log_error("cannot accept connections", {{"error", error.message()}});
        complained = true;
        co_await sleep_for(kAcceptPause);
      }
    }
  }

  void admit(tcp::socket socket) {
    error_code ignored;  // A peer may be gone before it is served; the first read says so.
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(UnsentLimit(kMostUnsent), ignored);
    const bool full = connections_.size() - turned_away_ >= options_.max_connections;
    if (context_.stopping || (full && turned_away_ >= kMaxTurnedAway)) return;
    const auto place = connections_.emplace(connections_.end(), std::move(socket), context_);
    scope_.spawn("http connection", full ? turn_away(*this, place) : serve(*this, place));
  }

  struct Leave {
    BeastServer& server;
    Connections::iterator place;
    ~Leave() {
      server.connections_.erase(place);
      server.gone_.notify_all();
    }
  };

  static Task<void> serve(BeastServer& server, Connections::iterator place) {
    const Leave leave{server, place};
    co_await place->run();
  }

  static Task<void> turn_away(BeastServer& server, Connections::iterator place) {
    struct Count {
      std::size_t& number;
      explicit Count(std::size_t& n) : number(n) { ++number; }
      ~Count() { --number; }
    } const count(server.turned_away_);
    const Leave leave{server, place};
    co_await place->turn_away();
  }

  asio::any_io_executor executor_;
  ServerOptions options_;
  Scope scope_;
  Event gone_;
  tcp::acceptor acceptor_;
  detail::ConnectionContext context_;
  Connections connections_;
  std::size_t turned_away_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace

std::unique_ptr<Server> make_server(asio::any_io_executor executor, BlockingPool& files, const Router& router,
                                    ServerOptions options) {
  return std::make_unique<BeastServer>(executor, files, router, std::move(options));
}

}  // namespace trawl::http
