#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "async/run.h"
#include "async/scope.h"
#include "net/egress_proxy.h"

namespace trawl::net {

namespace http = boost::beast::http;
using asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

// A server on loopback that gives every connection to a script.
class Origin {
 public:
  using Script = std::function<Task<void>(tcp::socket&)>;

  Origin(asio::io_context& context, Scope& scope, Script script)
      : acceptor_(context, {asio::ip::address_v4::loopback(), 0}),
        scope_(scope),
        script_(std::make_shared<Script>(std::move(script))) {
    scope_.spawn("origin", accept());
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] std::string url(std::string_view path) const {
    return fmt::format("http://127.0.0.1:{}{}", port(), path);
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  Task<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(as_result);
      if (error) co_return;
      ++connections_;
      scope_.spawn("origin connection", serve(std::move(socket), script_));
    }
  }
  static Task<void> serve(tcp::socket socket, std::shared_ptr<Script> script) { co_await (*script)(socket); }

  tcp::acceptor acceptor_;
  Scope& scope_;
  std::shared_ptr<Script> script_;  // Shared with connections that outlive the Origin.
  int connections_ = 0;
};

// A script that answers every request of a connection with what `answer` makes of it.
inline Origin::Script answering(std::function<Response(const Request&)> answer) {
  return [answer = std::move(answer)](tcp::socket& socket) -> Task<void> {
    boost::beast::flat_buffer buffer;
    for (;;) {
      Request request;
      const auto [ended, size] = co_await http::async_read(socket, buffer, request, as_result);
      if (ended) co_return;
      Response response = answer(request);
      response.prepare_payload();
      co_await http::async_write(socket, response, asio::use_awaitable);
    }
  };
}

// A script that reads one request's header and then writes `text` and closes.
inline Origin::Script saying(std::string text) {
  return [text = std::move(text)](tcp::socket& socket) -> Task<void> {
    boost::beast::flat_buffer buffer;
    http::request_parser<http::empty_body> request;
    const auto [ended, size] = co_await http::async_read_header(socket, buffer, request, as_result);
    if (!ended) co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
  };
}

inline Task<void> echo(tcp::socket& socket) {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto [ended, size] = co_await socket.async_read_some(asio::buffer(buffer), as_result);
    if (ended) co_return;
    co_await asio::async_write(socket, asio::buffer(buffer.data(), size), asio::use_awaitable);
  }
}

// A client of the proxy.
struct Client {
  explicit Client(asio::io_context& context, const std::string& proxy_url) : socket(context) {
    const auto colon = proxy_url.rfind(':');
    socket.connect({asio::ip::address_v4::loopback(),
                    static_cast<std::uint16_t>(std::stoi(proxy_url.substr(colon + 1)))});
    const auto user = proxy_url.substr(7, proxy_url.find('@') - 7);
    credentials = "Basic " + base64(user);
  }

  static std::string base64(std::string_view text) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 3) {
      std::uint32_t group = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        group = group << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U);
      }
      for (std::size_t k = 0; k < 4; ++k)
        out += i + k > text.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
    }
    return out;
  }

  [[nodiscard]] std::string head(std::string_view first_line, std::string_view fields = {}) const {
    return fmt::format("{} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: {}\r\n{}\r\n", first_line, credentials,
                       fields);
  }

  Task<void> send(std::string text) {
    co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
  }

  Task<Response> read(bool to_head = false) {
    http::response_parser<http::string_body> parser;
    parser.skip(to_head);
    parser.body_limit(64 << 20);
    last_error = std::get<0>(co_await http::async_read(socket, buffer, parser, as_result));
    co_return parser.release();
  }

  Task<Response> get(std::string url) {
    co_await send(head("GET " + url));
    co_return co_await read();
  }

  // Reads only the head of the answer to CONNECT.
  Task<unsigned> connect(std::string authority, std::string early_data = {}) {
    co_await send(head("CONNECT " + authority) + early_data);
    http::response_parser<http::empty_body> parser;
    parser.skip(true);
    co_await http::async_read_header(socket, buffer, parser, asio::use_awaitable);
    co_return parser.get().result_int();
  }

  // Everything up to the end of the connection, however it ends.
  Task<std::string> read_to_end() {
    std::string out = boost::beast::buffers_to_string(buffer.data());
    buffer.clear();
    const auto [ended, size] = co_await asio::async_read(socket, asio::dynamic_buffer(out), as_result);
    last_error = ended;
    co_return out;
  }

  tcp::socket socket;
  std::string credentials;
  boost::beast::flat_buffer buffer;
  boost::system::error_code last_error;
};

// A proxy with one job, on an io_context of its own.
class EgressProxyTest : public testing::Test {
 protected:
  static EgressRules private_networks() { return {.allow_private_networks = true}; }

  // Runs `body` to its end, then stops the proxy and the origins.
  void run(EgressRules rules, EgressProxy::Options options, std::function<Task<void>()> body) {
    EgressPolicy policy(std::move(rules));
    proxy = make_egress_proxy(context.get_executor(), policy, options);
    run_to_end(context, run_body(std::move(body)));
    pass.reset();
    proxy.reset();
  }
  void run(std::function<Task<void>()> body) { run(private_networks(), {}, std::move(body)); }

  Client client() { return Client(context, pass->proxy_url()); }

  asio::io_context context;
  Scope origins{context.get_executor()};
  std::unique_ptr<EgressProxy> proxy;
  std::unique_ptr<EgressProxy::Pass> pass;

 private:
  Task<void> run_body(std::function<Task<void>()> body) {
    EXPECT_TRUE(co_await proxy->start());
    pass = proxy->admit({});
    std::exception_ptr failure;
    try {
      co_await body();
    } catch (...) {
      failure = std::current_exception();
    }
    co_await proxy->stop();
    co_await origins.close();
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace trawl::net
