// A long way to a server on this machine: every byte takes half of the round trip in each direction,
// a connection another round trip to be made. As on a real way, a connection starts slowly and never has
// more than a window's bytes under way; there is no limit besides that.
//
//   delay_proxy PORT ROUND_TRIP_MS WINDOW_BYTES     prints the port it listens on

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <signal.h>
#include <string>
#include <sys/prctl.h>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "async/event.h"
#include "async/task.h"

namespace trawl {
namespace {

using Clock = std::chrono::steady_clock;
using tcp = asio::ip::tcp;

struct Way {
  Clock::duration round_trip;
  std::size_t window;
};

// One direction of a connection.
struct Pipe : std::enable_shared_from_this<Pipe> {
  static constexpr std::size_t kFirstWindow = 14'600;  // Ten packets, as Linux begins.
  static constexpr std::size_t kPiece = 256 * 1024;

  Pipe(std::shared_ptr<tcp::socket> source, std::shared_ptr<tcp::socket> sink, Way given)
      : from(std::move(source)),
        to(std::move(sink)),
        way(given),
        open(std::min(kFirstWindow, given.window)),
        changed(from->get_executor()) {}

  struct Piece {
    Clock::time_point due;
    std::vector<char> bytes;
  };
  struct Receipt {
    Clock::time_point due;
    std::size_t bytes;
  };

  Task<void> read() {
    for (;;) {
      while (under_way >= open) co_await changed.wait();
      std::vector<char> bytes(std::min(kPiece, open - under_way));
      const auto [error, size] = co_await from->async_read_some(asio::buffer(bytes), as_result);
      if (error) break;
      bytes.resize(size);
      under_way += size;
      pieces.push_back({Clock::now() + way.round_trip / 2 + std::exchange(extra, {}), std::move(bytes)});
      changed.notify_all();
    }
    ended = true;
    changed.notify_all();
  }

  Task<void> write() {
    while (!ended || !pieces.empty()) {
      if (pieces.empty()) {
        co_await changed.wait();
        continue;
      }
      Piece piece = std::move(pieces.front());
      pieces.pop_front();
      co_await until(piece.due);
      const auto [error, size] = co_await asio::async_write(*to, asio::buffer(piece.bytes), as_result);
      if (error) break;
      receipts.push_back({Clock::now() + way.round_trip / 2, size});
      changed.notify_all();
    }
    written = true;
    changed.notify_all();
    boost::system::error_code ignored;
    to->shutdown(tcp::socket::shutdown_send, ignored);
    if (!ended) from->close(ignored);
  }

  Task<void> acknowledge() {
    while (!written || !receipts.empty()) {
      if (receipts.empty()) {
        co_await changed.wait();
        continue;
      }
      const Receipt receipt = receipts.front();
      receipts.pop_front();
      co_await until(receipt.due);
      under_way -= receipt.bytes;
      open = std::min(open + receipt.bytes, way.window);  // Slow start.
      changed.notify_all();
    }
  }

  Task<void> until(Clock::time_point time) {
    asio::steady_timer timer(from->get_executor(), time);
    co_await timer.async_wait(as_result);
  }

  void start() {
    for (auto member : {&Pipe::read, &Pipe::write, &Pipe::acknowledge}) {
      asio::co_spawn(
          from->get_executor(),
          [self = shared_from_this(), member]() -> Task<void> { co_await (self.get()->*member)(); },
          [](std::exception_ptr) {});
    }
  }

  std::shared_ptr<tcp::socket> from, to;
  Way way;
  std::size_t open;
  std::size_t under_way = 0;
  Clock::duration extra{};
  std::deque<Piece> pieces;
  std::deque<Receipt> receipts;
  bool ended = false, written = false;
  Event changed;
};

Task<void> serve(tcp::socket client, tcp::endpoint target, Way way) {
  auto near = std::make_shared<tcp::socket>(std::move(client));
  auto far = std::make_shared<tcp::socket>(near->get_executor());
  if (std::get<0>(co_await far->async_connect(target, as_result))) co_return;
  for (const auto& socket : {near, far}) socket->set_option(tcp::no_delay(true));
  const auto there = std::make_shared<Pipe>(near, far, way);
  there->extra = way.round_trip;  // The kernel has accepted at once.
  there->start();
  std::make_shared<Pipe>(far, near, way)->start();
}

Task<void> accept(tcp::acceptor& acceptor, tcp::endpoint target, Way way) {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(as_result);
    if (error) co_return;
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), target, way), [](std::exception_ptr) {});
  }
}

int run(int port, int milliseconds, std::size_t window) {
  asio::io_context context(1);
  const auto loopback = asio::ip::address_v4::loopback();
  tcp::acceptor acceptor(context, {loopback, 0});
  const Way way{std::chrono::milliseconds(milliseconds), window};
  asio::co_spawn(context, accept(acceptor, {loopback, static_cast<asio::ip::port_type>(port)}, way),
                 [](std::exception_ptr) {});
  asio::signal_set ends(context, SIGTERM, SIGINT);
  ends.async_wait([&](auto, int) { context.stop(); });
  fmt::print("{}\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  context.run();
  return 0;
}

}  // namespace
}  // namespace trawl

int main(int count, char** arguments) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (count != 4) {
    fmt::print(stderr, "usage: delay_proxy PORT ROUND_TRIP_MS WINDOW_BYTES\n");
    return 2;
  }
  return trawl::run(std::atoi(arguments[1]), std::atoi(arguments[2]),
                    std::strtoull(arguments[3], nullptr, 10));
}
