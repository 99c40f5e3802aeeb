#pragma once

#include <cerrno>
#include <charconv>
#include <future>
#include <poll.h>
#include <span>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "async/blocking_pool.h"
#include "async/event.h"
#include "base/log.h"
#include "http/router_fixture.h"
#include "http/server.h"

namespace trawl::http {

using namespace std::chrono_literals;

// For tests: one response as it came over the wire.
struct Reply {
  int status = 0;
  std::string head;
  std::string body;

  [[nodiscard]] std::string field(std::string_view name) const {
    const auto at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

// For tests: a blocking client that says exactly what it is told to. Every wait ends after 20 s.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0)
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    const asio::ip::tcp::endpoint peer(asio::ip::address_v4::loopback(), port);
    connected_ = ::connect(socket_, peer.data(), static_cast<socklen_t>(peer.size())) == 0;
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void finish_sending() const { ::shutdown(socket_, SHUT_WR); }

  // False when the server has closed.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // The next bytes, as many as are there; none when the server has closed.
  std::size_t receive_into(std::span<char> out) const {
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 20'000) != 1) {
      ADD_FAILURE() << "nothing came for 20 s";
      return 0;
    }
    const ssize_t size = ::recv(socket_, out.data(), out.size(), 0);
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }

  std::string receive() {
    if (!rest_.empty()) return std::exchange(rest_, {});
    std::string block(64 << 10, '\0');
    block.resize(receive_into(block));
    return block;
  }

  std::string receive_all() {
    std::string all;
    for (std::string block = receive(); !block.empty(); block = receive()) all += block;
    return all;
  }

  // Reads one response; status 0 when the connection ends before it is whole.
  Reply reply(bool head_only = false) {
    std::string bytes;
    auto end = std::string::npos;
    while ((end = bytes.find("\r\n\r\n")) == std::string::npos) {
      if (!more(bytes)) return {};
    }
    Reply out{.status = 0, .head = bytes.substr(0, end + 2), .body = bytes.substr(end + 4)};
    std::size_t length = 0;
    const std::string text = head_only ? "0" : out.field("Content-Length");
    std::from_chars(text.data(), text.data() + text.size(), length);
    while (out.body.size() < length) {
      if (!more(out.body)) return {};
    }
    rest_ = out.body.substr(length);
    out.body.resize(length);
    out.status = std::stoi(out.head.substr(9, 3));
    return out;
  }

  Reply get(const std::string& path, const std::string& fields = {}) {
    send("GET " + path + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
    return reply();
  }

 private:
  bool more(std::string& bytes) {
    const std::string block = receive();
    bytes += block;
    return !block.empty();
  }

  int socket_;
  bool connected_ = false;
  std::string rest_;
};

// For tests: what a handler waits for and the test opens, and the other way round.
class Gate {
 public:
  explicit Gate(asio::io_context& context) : context_(context), event_(context.get_executor()) {}

  // In the handler: says that it is here, then waits until opened.
  Task<void> pass() {
    reached_.set_value();
    while (!open_) co_await event_.wait();
  }
  // In the test.
  void await_reached() { reached_.get_future().wait(); }
  void open() {
    asio::post(context_, [this] {
      open_ = true;
      event_.notify_all();
    });
  }

 private:
  asio::io_context& context_;
  Event event_;
  std::promise<void> reached_;
  bool open_ = false;
};

// For tests: the real server on a free loopback port, run by a thread of its own.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    configure_log(LogLevel::off, LogFormat::json);
    options.host = "127.0.0.1";
    options.port = 0;
  }
  // Not in the destructor: handlers use what derived fixtures own.
  void TearDown() override {
    if (server) stop(0ms).get();
    work_.reset();
    if (thread_.joinable()) thread_.join();
    pool.join();
  }

  void start() {
    server = make_server(context.get_executor(), pool, router, options);
    thread_ = std::thread([this] { context.run(); });
    const auto started = asio::co_spawn(context, server->start(), asio::use_future).get();
    ASSERT_TRUE(started) << started.error().message;
  }
  std::future<void> stop(std::chrono::milliseconds grace) {
    return asio::co_spawn(context, server->stop(grace), asio::use_future);
  }
  [[nodiscard]] std::uint16_t port() const { return server->port(); }

  // A handler that answers 200 with `text`.
  static Handler text(std::string body) {
    return
        [body](Request) -> Task<Response> { co_return Response{.status = 200, .headers = {}, .body = body}; };
  }

  asio::io_context context;
  BlockingPool pool{2};
  Router router;
  ServerOptions options;
  std::unique_ptr<Server> server;

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context);
  std::thread thread_;
};

}  // namespace trawl::http
