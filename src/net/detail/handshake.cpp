#include "net/detail/handshake.h"

#include <array>
#include <memory>

#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/text.h"

namespace trawl::net::detail {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMaxAnswer = 16 << 10;

std::unexpected<Error> failed(const Upstream& upstream, std::string_view why) {
  return fail(Errc::unavailable, fmt::format("the proxy {} gives no connection: {}", upstream.name(), why),
              "upstream_failed");
}

std::string base64(std::string_view text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

// A conversation with one upstream: the first error ends it.
class Talk {
 public:
  Talk(tcp::socket& socket, const Upstream& upstream) : socket_(socket), upstream_(upstream) {}

  [[nodiscard]] Task<Result<void>> send(std::string bytes) {
    const auto [error, size] = co_await asio::async_write(socket_, asio::buffer(bytes), as_result);
    if (error) co_return failed(upstream_, error.message());
    co_return Result<void>();
  }
  [[nodiscard]] Task<Result<std::string>> receive(std::size_t size) {
    std::string bytes(size, '\0');
    const auto [error, read] = co_await asio::async_read(socket_, asio::buffer(bytes), as_result);
    if (error) co_return failed(upstream_, error.message());
    co_return bytes;
  }
  // The head of an HTTP answer, byte by byte: what follows it belongs to the origin.
  [[nodiscard]] Task<Result<std::string>> receive_head() {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      auto byte = co_await receive(1);
      if (!byte) co_return fail(byte.error());
      head += *byte;
      if (head.size() > kMaxAnswer) co_return failed(upstream_, "its answer is too long");
    }
    co_return head;
  }

 private:
  tcp::socket& socket_;
  const Upstream& upstream_;
};

Task<Result<void>> ask_http(Talk talk, const Upstream& upstream, const std::string& host,
                            std::uint16_t port) {
  const auto authority =
      host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", authority);
  if (!upstream.user.empty()) {
    request +=
        fmt::format("Proxy-Authorization: Basic {}\r\n", base64(upstream.user + ":" + upstream.password));
  }
  if (auto sent = co_await talk.send(request + "\r\n"); !sent) co_return sent;
  const auto head = co_await talk.receive_head();
  if (!head) co_return fail(head.error());
  // "HTTP/1.1 200 ..."
  const auto status = head->starts_with("HTTP/1.") && head->size() > 12 ? head->substr(9, 3) : "???";
  if (status[0] == '2') co_return Result<void>();
  co_return failed(upstream, "it answered " + to_valid_utf8(status));
}

std::string socks_request(const std::string& host, std::uint16_t port) {
  std::string out("\x05\x01\x00", 3);
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) {
    out += '\x03';
    out += static_cast<char>(host.size());  // parse_host allows 253 at most.
    out += host;
  } else if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    out += '\x01';
    out.append(bytes.begin(), bytes.end());
  } else {
    const auto bytes = address.to_v6().to_bytes();
    out += '\x04';
    out.append(bytes.begin(), bytes.end());
  }
  out += static_cast<char>(port >> 8);
  out += static_cast<char>(port & 0xff);
  return out;
}

std::string_view socks_reply(unsigned char code) {
  constexpr std::array<std::string_view, 9> kReplies{
      "it succeeded",           "it failed",           "its rules forbid it",
      "network unreachable",    "host unreachable",    "connection refused",
      "the connection expired", "unsupported command", "unsupported address type"};
  return code < kReplies.size() ? kReplies[code] : "it failed";
}

Task<Result<void>> log_in(Talk talk, const Upstream& upstream) {
  std::string message("\x01");
  message += static_cast<char>(upstream.user.size());
  message += upstream.user;
  message += static_cast<char>(upstream.password.size());
  message += upstream.password;
  if (auto sent = co_await talk.send(std::move(message)); !sent) co_return sent;
  const auto answer = co_await talk.receive(2);
  if (!answer) co_return fail(answer.error());
  if ((*answer)[1] != 0) co_return failed(upstream, "it refuses the user name or password");
  co_return Result<void>();
}

// RFC 1928.
Task<Result<void>> ask_socks(Talk talk, const Upstream& upstream, const std::string& host,
                             std::uint16_t port) {
  const bool named = !upstream.user.empty();
  if (auto sent = co_await talk.send(named ? std::string("\x05\x01\x02") : std::string("\x05\x01\x00", 3));
      !sent)
    co_return sent;
  const auto method = co_await talk.receive(2);
  if (!method) co_return fail(method.error());
  if ((*method)[0] != 5 || (*method)[1] != (named ? 2 : 0))
    co_return failed(upstream, named ? "it does not take a user name" : "it wants a user name");
  if (named) {
    if (auto known = co_await log_in(talk, upstream); !known) co_return known;
  }
  if (auto sent = co_await talk.send(socks_request(host, port)); !sent) co_return sent;
  const auto reply = co_await talk.receive(5);
  if (!reply) co_return fail(reply.error());
  if ((*reply)[1] != 0) co_return failed(upstream, socks_reply(static_cast<unsigned char>((*reply)[1])));
  // The address it bound, of which one byte has been read, and the port.
  const auto kind = (*reply)[3];
  const std::size_t rest = kind == 1 ? 3 : kind == 4 ? 15 : static_cast<unsigned char>((*reply)[4]);
  const auto bound = co_await talk.receive(rest + 2);
  if (!bound) co_return fail(bound.error());
  co_return Result<void>();
}

}  // namespace

Task<Result<void>> ask_upstream(tcp::socket& socket, const Upstream& upstream, std::string host,
                                std::uint16_t port, std::chrono::steady_clock::duration limit) {
  // Closing the socket is what ends a conversation that takes too long.
  const auto late = std::make_shared<bool>(false);
  asio::steady_timer timer(socket.get_executor(), limit);
  timer.async_wait([waiting = std::weak_ptr(late), &socket](error_code cancelled) {
    // A wait that had fired when it was cancelled arrives without an error.
    const auto alive = waiting.lock();
    if (cancelled || !alive) return;
    *alive = true;
    socket.close(cancelled);
  });
  const Talk talk(socket, upstream);
  auto asked = upstream.protocol == Upstream::Protocol::http ? co_await ask_http(talk, upstream, host, port)
                                                             : co_await ask_socks(talk, upstream, host, port);
  timer.cancel();
  if (*late) {
    co_return fail(Errc::timeout, fmt::format("the proxy {} did not answer in time", upstream.name()),
                   "upstream_timeout");
  }
  co_return asked;
}

}  // namespace trawl::net::detail
