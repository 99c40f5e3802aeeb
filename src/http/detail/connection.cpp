#include "http/detail/connection.h"

#include <array>
#include <sys/socket.h>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "http/detail/exception_text.h"
#include "http/detail/field_value.h"

namespace trawl::http::detail {
namespace {

using tcp = asio::ip::tcp;

constexpr std::chrono::seconds kLinger{1};
constexpr std::size_t kMaxLingerBytes = 1 << 20;

std::string address_of(const tcp::socket& socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return {};
  const auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

bool asks_for_websocket(const Incoming& incoming) {
  const Request& request = incoming.request;
  return request.method == "GET" && !incoming.http_1_0 &&
         list_contains(request.headers.find("Connection").value_or(""), "upgrade") &&
         list_contains(request.headers.find("Upgrade").value_or(""), "websocket");
}

}  // namespace

Connection::Connection(tcp::socket socket, ConnectionContext& context)
    : context_(context),
      socket_(std::move(socket)),
      remote_(address_of(socket_)),
      deadline_(socket_, Deadline::Action::cancel),
      reader_(socket_, deadline_, context.options),
      writer_(socket_, deadline_, context.files, context.options) {}

// The body of the request in hand. Handlers may keep it; it ends with their answer.
class Connection::Body final : public BodySource {
 public:
  Body(Connection& owner, bool expects_continue) : owner_(&owner), expects_continue_(expects_continue) {}

  Task<Result<std::optional<std::string>>> next() override {
    if (!owner_ || failed_) co_return fail(Errc::unavailable, "the request is over");
    if (expects_continue_ && !co_await owner_->writer_.write("HTTP/1.1 100 Continue\r\n\r\n"))
      co_return fail(Errc::unavailable, "the client has gone");
    expects_continue_ = false;
    auto piece = co_await owner_->reader_.read_piece();
    if (piece) co_return piece->empty() ? std::nullopt : std::optional(std::move(*piece));
    failed_ = true;
    const ReadFailure& why = piece.error();
    if (why.status == 0) co_return fail(Errc::unavailable, "the client has gone", "client_gone");
    co_return fail(why.status == 408 ? Errc::timeout : Errc::invalid, why.message, why.code);
  }

  // Says whether the next request begins where this one ended.
  bool end() {
    const bool whole = !failed_ && owner_->reader_.body_done();
    owner_ = nullptr;
    return whole;
  }

 private:
  Connection* owner_;
  bool expects_continue_;
  bool failed_ = false;
};

// Shared by the answer and who watches the peer meanwhile; the answer may end first, and the connection.
struct Connection::Watch {
  std::shared_ptr<BodyStream> stream;
  bool over = false;
};

Task<void> Connection::run() {
  while (!context_.stopping) {
    auto incoming = co_await reader_.read_head();
    in_flight_ = true;
    if (!incoming) {
      co_await refuse(std::move(incoming.error()));
      break;
    }
    incoming->request.remote = remote_;
    if (context_.options.client_of) incoming->request.remote = context_.options.client_of(incoming->request);
    const bool goes_on = co_await serve(std::move(*incoming));
    in_flight_ = false;
    if (!goes_on) break;
  }
  in_flight_ = false;
  if (socket_.is_open()) co_await linger();
}

Task<std::expected<void, ReadFailure>> Connection::receive_body(Incoming& incoming) {
  if (auto fits = reader_.check_body(); !fits) {
    fits.error().request = std::move(incoming.request);
    co_return fits;
  }
  if (incoming.expects_continue && !co_await writer_.write("HTTP/1.1 100 Continue\r\n\r\n"))
    co_return std::unexpected(ReadFailure{});
  if (incoming.expects_continue) deadline_.arm(context_.options.read_timeout);
  auto body = co_await reader_.read_body();
  if (!body) {
    body.error().request = std::move(incoming.request);
    co_return std::unexpected(std::move(body.error()));
  }
  incoming.request.body = std::move(*body);
  deadline_.disarm();
  co_return std::expected<void, ReadFailure>();
}

Task<bool> Connection::serve(Incoming incoming) {
  const AccessRecord record(incoming.request);
  std::shared_ptr<Body> body;
  if (context_.router.takes_stream(incoming.request)) {
    body = std::make_shared<Body>(*this, incoming.expects_continue);
    incoming.request.stream = body;
    deadline_.disarm();
  } else if (auto received = co_await receive_body(incoming); !received) {
    co_await refuse(std::move(received.error()));
    co_return false;
  }
  // The handler gets the request itself; the answer needs little of it.
  Request facts;
  facts.method = record.method, facts.path = record.path, facts.id = record.request_id;
  facts.headers.set("Accept-Encoding",
                    std::string(incoming.request.headers.find("Accept-Encoding").value_or("")));
  for (const char* name : kCorsFields) {
    if (const auto value = incoming.request.headers.find(name)) facts.headers.set(name, std::string(*value));
  }

  if (asks_for_websocket(incoming)) {
    Request request = incoming.request;
    if (const WebSocketRoute* route = context_.router.websocket(request)) {
      auto refusal = co_await upgrade(*route, std::move(request), record);
      if (refusal) co_await answer(facts, record, std::move(*refusal), false, incoming.http_1_0);
      co_return false;
    }
  }
  Response response = co_await context_.router.route(std::move(incoming.request));
  if (body && !body->end()) incoming.keep_alive = false;
  co_return co_await answer(facts, record, std::move(response), incoming.keep_alive, incoming.http_1_0);
}

Task<void> Connection::watch_peer(Connection& self, std::shared_ptr<Watch> watch) {
  const auto [error] = co_await self.socket_.async_wait(tcp::socket::wait_read, as_result);
  if (watch->over) co_return;
  char next = 0;
  const bool more = !error && ::recv(self.socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  if (!more) watch->stream->stop();  // Otherwise it has sent its next request already.
}

Task<bool> Connection::answer(const Request& request, const AccessRecord& record, Response response,
                              bool keep_alive, bool http_1_0) {
  keep_alive = keep_alive && !context_.stopping;
  struct Streaming {
    Connection& owner;
    std::shared_ptr<Watch> watch = {};
    void begin(std::shared_ptr<BodyStream> stream) {
      owner.stream_ = stream;
      watch = std::make_shared<Watch>(std::move(stream));
      owner.context_.scope.spawn("peer of a stream", watch_peer(owner, watch));
      if (owner.context_.stopping) owner.stream_->stop();
    }
    ~Streaming() {
      if (!watch) return;
      watch->over = true;
      owner.stream_.reset();
      boost::system::error_code ignored;
      if (owner.socket_.is_open()) owner.socket_.cancel(ignored);
    }
  } streaming{*this};
  if (auto* stream = std::get_if<std::shared_ptr<BodyStream>>(&response.body)) {
    streaming.begin(*stream);
    if (http_1_0) keep_alive = false;
  }
  apply_cors(context_.options.cors, request, response);
  if (context_.options.hsts_seconds > 0) {
    response.headers.set("Strict-Transport-Security",
                         fmt::format("max-age={}; includeSubDomains", context_.options.hsts_seconds));
  }
  const Sent sent = co_await writer_.send(request, std::move(response),
                                          {.request_id = request.id,
                                           .process_time = record.elapsed(),
                                           .keep_alive = keep_alive,
                                           .http_1_0 = http_1_0});
  record.write(sent.status, sent.body_bytes);
  if (!sent.complete) {
    // Nothing may follow a response that was cut short, not even a polite end.
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  co_return keep_alive&& sent.complete;
}

Task<void> Connection::refuse(ReadFailure failure) {
  if (failure.status == 0) {
    boost::system::error_code ignored;
    socket_.close(ignored);
    co_return;
  }
  failure.request.remote = remote_;
  const AccessRecord record(failure.request);
  co_await answer(failure.request, record,
                  error_response(failure.request, failure.status, failure.code, failure.message), false,
                  false);
}

Task<void> Connection::turn_away() {
  ReadFailure busy{.status = 503,
                   .code = "too_many_connections",
                   .message = "the server has no room for another connection",
                   .request = {}};
  busy.request.id = choose_request_id("");
  co_await refuse(std::move(busy));
  if (socket_.is_open()) co_await linger();
}

Task<std::optional<Response>> Connection::upgrade(const WebSocketRoute& route, Request request,
                                                  const AccessRecord& record) {
  if (auto refusal = refuse_handshake(request)) co_return refusal;
  if (!request.body.empty() || !reader_.at_start())
    co_return error_response(request, 400, "bad_request", "an upgrade request carries no body");
  if (route.guard) {
    std::exception_ptr failure;
    try {
      if (auto refusal = co_await route.guard(request)) co_return refusal;
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      log_error("a WebSocket guard failed",
                {{"request_id", request.id}, {"path", request.path}, {"error", text_of(failure)}});
      co_return error_response(request, 500, "internal_error",
                               "an internal error happened; the log has it under this request id");
    }
  }
  websocket_ = make_websocket_session(std::move(socket_), context_.scope, context_.options);
  if (co_await websocket_->accept(request)) {
    record.write(101, 0);
    co_await speak_websocket(route, std::move(request));
  }
  websocket_->abort();
  co_return std::nullopt;
}

Task<void> Connection::speak_websocket(const WebSocketRoute& route, Request request) {
  if (context_.stopping) websocket_->go_away();
  const std::string id = request.id;
  std::exception_ptr failure;
  try {
    co_await route.handler(std::move(request), *websocket_);
  } catch (...) {
    failure = std::current_exception();
  }
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) co_return;
  if (failure) log_error("a WebSocket handler failed", {{"request_id", id}, {"error", text_of(failure)}});
  co_await websocket_->close(failure ? 1011 : 1000, failure ? "internal error" : "");
}

// Closing while the peer still sends would reset the connection and with it our last answer, so its
// bytes are read and dropped for a moment.
Task<void> Connection::linger() {
  lingering_ = true;
  boost::system::error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  deadline_.arm(kLinger);
  std::array<char, 4096> dropped;
  for (std::size_t total = 0;
       !error && total < kMaxLingerBytes && !deadline_.passed() && !context_.stopping;) {
    auto [failed, size] = co_await socket_.async_read_some(asio::buffer(dropped), as_result);
    error = failed;
    total += size;
  }
  deadline_.disarm();
  socket_.close(error);
}

void Connection::drain() {
  if (websocket_) return websocket_->go_away();
  if (stream_) return stream_->stop();
  if (!lingering_ && (in_flight_ || !reader_.at_start())) return;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Connection::abort() {
  if (websocket_) return websocket_->abort();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace trawl::http::detail
