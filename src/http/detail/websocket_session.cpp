#include "http/detail/websocket_session.h"

#include <algorithm>
#include <deque>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "async/event.h"
#include "base/text.h"
#include "http/detail/deadline.h"
#include "http/detail/response_head.h"

namespace trawl::http::detail {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;

constexpr std::size_t kMaxMessage = 64 << 10;
constexpr std::size_t kMaxWaiting = 16;
constexpr std::size_t kMaxReason = 123;  // A control frame's 125 bytes less the code.
constexpr std::chrono::seconds kHandshakeTimeout{30};
constexpr std::size_t kKeyLength = 24;  // 16 bytes in base64.

// A write cut in half leaves a stream nobody can read, so such waits end by the socket alone.
auto uncancelled() {
  return asio::bind_cancellation_slot(asio::cancellation_slot(), as_result);
}

using HandshakeRequest = beast::http::request<beast::http::empty_body>;

HandshakeRequest to_beast(const Request& request) {
  HandshakeRequest out(beast::http::verb::get, request.path, 11);
  for (const auto& [name, value] : request.headers.all()) out.set(name, value);
  return out;
}

class BeastSession final : public WebSocketSession, public std::enable_shared_from_this<BeastSession> {
 public:
  BeastSession(tcp::socket socket, Scope& scope, const ServerOptions& options)
      : stream_(std::move(socket)),
        scope_(scope),
        send_limit_(options.websocket_send_limit),
        send_deadline_(stream_.next_layer(), Deadline::Action::close),
        close_deadline_(stream_.next_layer(), Deadline::Action::close),
        arrived_(stream_.get_executor()),
        taken_(stream_.get_executor()),
        closed_(stream_.get_executor()) {
    stream_.set_option(websocket::stream_base::timeout{.handshake_timeout = kHandshakeTimeout,
                                                       .idle_timeout = options.websocket_idle,
                                                       .keep_alive_pings = true});
    stream_.read_message_max(kMaxMessage);
    stream_.text(true);
  }

  Task<bool> accept(Request request) override {
    stream_.set_option(
        websocket::stream_base::decorator([id = request.id](websocket::response_type& response) {
          for (const auto& [name, value] : default_headers().all()) response.set(name, value);
          response.set("X-Request-ID", id);
          response.set(beast::http::field::server, "trawl");  // Else Beast names itself and its version.
        }));
    const HandshakeRequest handshake = to_beast(request);
    auto [error] = co_await stream_.async_accept(handshake, as_result);
    if (error) co_return false;
    accepted_ = true;
    scope_.spawn("websocket reader", read_all(shared_from_this()));
    co_return true;
  }

  Task<Result<void>> send(std::string text) override {
    if (sending_) co_return fail(Errc::conflict, "a send is already in flight");
    if (gone_ || closing_) co_return fail(Errc::unavailable, "the WebSocket is closed");
    sending_ = true;
    send_deadline_.arm(send_limit_);
    auto [error, size] = co_await stream_.async_write(asio::buffer(text), uncancelled());
    send_deadline_.disarm();
    sending_ = false;
    if (!error) co_return Result<void>();
    abort();
    if (send_deadline_.passed()) co_return fail(Errc::timeout, "the WebSocket's peer does not read");
    co_return fail(Errc::unavailable, "the WebSocket broke: " + error.message());
  }

  Task<std::optional<std::string>> receive() override {
    while (inbox_.empty() && !gone_) co_await arrived_.wait();
    if (inbox_.empty()) co_return std::nullopt;
    std::string message = std::move(inbox_.front());
    inbox_.pop_front();
    taken_.notify_all();
    co_return message;
  }

  Task<void> close(std::uint16_t code, std::string reason) override {
    if (!closing_ && !gone_) {
      closing_ = true;
      taken_.notify_all();
      close_deadline_.arm(send_limit_);
      const websocket::close_reason why(static_cast<websocket::close_code>(code),
                                        truncate_utf8(reason, kMaxReason));
      co_await stream_.async_close(why, uncancelled());
      close_deadline_.disarm();
      abort();
    }
    while (!gone_) co_await closed_.wait();
  }

  void go_away() override {
    if (accepted_) scope_.spawn("websocket close", close_for_stop(shared_from_this()));
  }

  void abort() override {
    boost::system::error_code ignored;  // Closing twice is fine.
    stream_.next_layer().close(ignored);
    end();
  }

 private:
  static Task<void> close_for_stop(std::shared_ptr<BeastSession> self) {
    co_await self->close(websocket::close_code::going_away, "the server stops");
  }

  // Reads all the time, for Beast answers pings and closes only while a read is under way.
  static Task<void> read_all(std::shared_ptr<BeastSession> self) {
    while (co_await self->read_one()) {
      while (self->inbox_.size() >= kMaxWaiting && !self->gone_ && !self->closing_)
        co_await self->taken_.wait();
    }
    if (!self->closing_) self->end();
  }

  Task<bool> read_one() {
    beast::flat_buffer buffer;
    auto [error, size] = co_await stream_.async_read(buffer, uncancelled());
    if (error) co_return false;
    if (!stream_.got_text()) {
      co_await close(websocket::close_code::unknown_data, "only text messages are understood");
      co_return false;
    }
    if (!closing_) inbox_.push_back(beast::buffers_to_string(buffer.data()));
    arrived_.notify_all();
    co_return true;
  }

  void end() {
    gone_ = true;
    arrived_.notify_all();
    taken_.notify_all();
    closed_.notify_all();
  }

  websocket::stream<tcp::socket, false> stream_;
  Scope& scope_;
  std::chrono::milliseconds send_limit_;
  Deadline send_deadline_, close_deadline_;
  Event arrived_, taken_, closed_;
  std::deque<std::string> inbox_;
  bool accepted_ = false;
  bool sending_ = false;
  bool closing_ = false;
  bool gone_ = false;
};

}  // namespace

std::optional<Response> refuse_handshake(const Request& request) {
  if (request.headers.find("Sec-WebSocket-Key").value_or("").size() != kKeyLength) {
    return error_response(request, 400, "bad_request", "Sec-WebSocket-Key is missing or malformed");
  }
  if (request.headers.find("Sec-WebSocket-Version") == "13") return std::nullopt;
  Response response =
      error_response(request, 426, "upgrade_required", "only version 13 of WebSocket is understood");
  response.headers.set("Upgrade", "websocket");
  response.headers.set("Sec-WebSocket-Version", "13");
  return response;
}

std::shared_ptr<WebSocketSession> make_websocket_session(tcp::socket socket, Scope& scope,
                                                         const ServerOptions& options) {
  return std::make_shared<BeastSession>(std::move(socket), scope, options);
}

}  // namespace trawl::http::detail
