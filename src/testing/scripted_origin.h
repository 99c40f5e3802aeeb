#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "async/scope.h"
#include "async/task.h"

namespace trawl {

// An HTTP origin on loopback whose answers a test writes byte by byte.
class ScriptedOrigin {
 public:
  using Request = boost::beast::http::request<boost::beast::http::empty_body>;

  struct Reply {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};
    std::optional<std::int64_t> length{};      // The Content-Length announced; that of the body if not said.
    bool no_length = false;                    // The end of the connection ends the body.
    std::optional<std::size_t> cut_after{};    // Of the body; then the connection is reset.
    std::optional<std::size_t> stall_after{};  // Of the body; then nothing more comes.
    std::optional<std::int64_t> bytes_per_second{};
    std::string version = "HTTP/1.1";
  };
  using Answer = std::function<Reply(const Request&)>;

  ScriptedOrigin(asio::io_context& context, Scope& scope, Answer answer)
      : acceptor_(context, {asio::ip::address_v4::loopback(), 0}),
        scope_(scope),
        state_(std::make_shared<State>()) {
    state_->answer = std::move(answer);
    scope_.spawn("origin", accept());
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] std::string url(std::string_view path = "/file", std::string_view host = "127.0.0.1") const {
    return fmt::format("http://{}:{}{}", host, port(), path);
  }
  [[nodiscard]] int connections() const { return state_->connections; }
  [[nodiscard]] int open_connections() const { return state_->open; }
  [[nodiscard]] int most_open() const { return state_->most_open; }
  [[nodiscard]] std::int64_t body_bytes() const { return state_->body_bytes; }  // Written so far.
  [[nodiscard]] const std::vector<Request>& requests() const { return state_->requests; }
  void answer_with(Answer answer) { state_->answer = std::move(answer); }

 private:
  using Socket = asio::ip::tcp::socket;

  // Shared with connections that outlive the origin.
  struct State {
    Answer answer;
    std::vector<Request> requests;
    int connections = 0;
    int open = 0;
    int most_open = 0;
    std::int64_t body_bytes = 0;
  };

  Task<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(as_result);
      if (error) co_return;
      ++state_->connections;
      scope_.spawn("origin connection", serve(std::move(socket), state_));
    }
  }

  static Task<void> serve(Socket socket, std::shared_ptr<State> state) {
    state->most_open = std::max(state->most_open, ++state->open);
    struct Close {
      std::shared_ptr<State> state;
      ~Close() { --state->open; }
    } const close{state};
    boost::beast::flat_buffer buffer;
    for (;;) {
      Request request;
      const auto [ended, size] = co_await boost::beast::http::async_read(socket, buffer, request, as_result);
      if (ended) co_return;
      state->requests.push_back(request);
      if (!co_await write(socket, state->answer(request), state)) co_return;
    }
  }

  static std::string head_of(const Reply& reply) {
    std::string out = fmt::format("{} {} Scripted\r\n", reply.version, reply.status);
    for (const auto& [name, value] : reply.headers) out += fmt::format("{}: {}\r\n", name, value);
    if (!reply.no_length) {
      out += fmt::format("Content-Length: {}\r\n",
                         reply.length.value_or(static_cast<std::int64_t>(reply.body.size())));
    }
    return out + "\r\n";
  }

  // Waits for the client to go away.
  static Task<void> stall(Socket& socket) {
    std::array<char, 1> byte;
    co_await socket.async_read_some(asio::buffer(byte), as_result);
  }

  // False: the connection has to be closed.
  static Task<bool> write(Socket& socket, Reply reply, std::shared_ptr<State> state) {
    const auto head = head_of(reply);
    if (std::get<0>(co_await asio::async_write(socket, asio::buffer(head), as_result))) co_return false;
    const std::size_t end = std::min({reply.body.size(), reply.cut_after.value_or(reply.body.size()),
                                      reply.stall_after.value_or(reply.body.size())});
    if (!co_await write_body(socket, std::string_view(reply.body).substr(0, end), reply.bytes_per_second,
                             state)) {
      co_return false;
    }
    if (reply.stall_after) co_await stall(socket);
    if (reply.cut_after) {
      socket.set_option(asio::socket_base::linger(true, 0));
      socket.close();  // The destructor would say goodbye properly.
    }
    const bool whole = !reply.length || *reply.length == static_cast<std::int64_t>(reply.body.size());
    co_return !reply.cut_after && !reply.stall_after && !reply.no_length && whole &&
        reply.version == "HTTP/1.1";
  }

  static Task<bool> write_body(Socket& socket, std::string_view body, std::optional<std::int64_t> rate,
                               std::shared_ptr<State> state) {
    asio::steady_timer timer(socket.get_executor());
    auto due = std::chrono::steady_clock::now();
    while (!body.empty()) {
      const std::size_t step =
          std::min<std::size_t>(body.size(), rate ? std::max<std::int64_t>(*rate / 50, 1) : 65536);
      const auto [error, size] =
          co_await asio::async_write(socket, asio::buffer(body.data(), step), as_result);
      state->body_bytes += static_cast<std::int64_t>(size);
      if (error) co_return false;
      body.remove_prefix(step);
      if (!rate) continue;
      due += std::chrono::microseconds(static_cast<std::int64_t>(step) * 1'000'000 / *rate);
      timer.expires_at(due);
      co_await timer.async_wait(as_result);
    }
    co_return true;
  }

  asio::ip::tcp::acceptor acceptor_;
  Scope& scope_;
  std::shared_ptr<State> state_;
};

}  // namespace trawl
