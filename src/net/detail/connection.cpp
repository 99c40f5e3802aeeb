#include "net/detail/connection.h"

#include <algorithm>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "net/detail/dial.h"
#include "net/detail/handshake.h"
#include "net/resolve.h"

namespace trawl::net::detail {
namespace {

using boost::system::error_code;

constexpr std::size_t kMaxAnswerHead = 64 << 10;
constexpr int kMaxInterimAnswers = 8;
constexpr std::size_t kMaxDrained = 256 << 10;
constexpr std::chrono::seconds kDrainTime{1};

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

BodyShape shape_of(const RequestParser& request) {
  if (request.chunked()) return {.framing = Framing::chunked, .length = {}};
  const auto length = request.content_length();
  if (!length) return {};
  return {.framing = request.is_done() ? Framing::none : Framing::length, .length = *length};
}

BodyShape shape_for_client(const ResponseParser& response, bool client_knows_chunks) {
  BodyShape out;
  if (const auto length = response.content_length()) out.length = *length;
  if (response.is_done()) return out;
  if (response.chunked())
    out.framing = client_knows_chunks ? Framing::chunked : Framing::until_close;
  else
    out.framing = out.length ? Framing::length : Framing::until_close;
  return out;
}

bool is_repeatable(const RequestParser& request) {
  const auto method = request.get().method();
  return request.is_done() && (method == http::verb::get || method == http::verb::head);
}

// Rather than cut off or not there at all.
bool is_malformed(const error_code& error) {
  return error && error.category() == http::make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

std::optional<Error> too_many_connections(std::size_t limit) {
  return Error{Errc::rate_limited, fmt::format("the job has {} connections open already", limit),
               "too_many_connections"};
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket client, ProxyContext& context)
    : context_(context),
      client_(std::move(client)),
      origin_(client_.get_executor()),
      from_client_(context.options.max_header + kRelayBuffer),
      from_origin_(kMaxAnswerHead + kRelayBuffer),
      watchdog_(client_.get_executor(), [this] { on_idle(); }) {
  from_client_.reserve(4096);
}

Connection::~Connection() {
  if (account_) account_->connections.erase(this);
}

void Connection::abort() {
  aborted_ = true;
  error_code ignored;
  client_.close(ignored);
  origin_.close(ignored);
}

void Connection::close_origin() {
  error_code ignored;
  origin_.close(ignored);
  from_origin_.clear();
  origin_name_.clear();
}

// So that the client cannot take a truncated body for a whole one.
void Connection::reset_client() {
  error_code ignored;
  client_.set_option(asio::socket_base::linger(true, 0), ignored);
  client_.close(ignored);
}

void Connection::on_idle() {
  if (!awaiting_answer_ || answer_late_) {
    reset_client();
    return abort();
  }
  // The client has seen nothing yet, so it can still be told.
  answer_late_ = true;
  error_code ignored;
  origin_.close(ignored);
  watchdog_.arm(context_.options.connect_timeout);
}

std::span<char> Connection::buffer(std::vector<char>& storage) {
  storage.resize(kRelayBuffer);
  return storage;
}

Task<void> Connection::run() {
  watchdog_.arm(context_.options.connect_timeout);
  while (!aborted_ && co_await serve_one()) watchdog_.arm(context_.options.idle_timeout);
  abort();
}

Task<bool> Connection::serve_one() {
  RequestParser request;
  request.header_limit(static_cast<std::uint32_t>(context_.options.max_header));
  request.body_limit(boost::none);
  const auto [error, size] = co_await http::async_read_header(client_, from_client_, request, as_result);
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    co_await refuse({Errc::invalid, "the request's header is too large", "header_too_large"});
    co_return false;
  }
  if (is_malformed(error)) {
    co_await refuse(
        {Errc::invalid, fmt::format("malformed request: {}", error.message()), "malformed_request"});
  }
  if (error) co_return false;
  watchdog_.arm(context_.options.idle_timeout);

  const auto& head = request.get();
  if (auto admitted = admit(head); !admitted) {
    co_await refuse(std::move(admitted.error()));
    co_return false;
  }
  if (head.method() == http::verb::connect) {
    co_await tunnel(std::string(view(head.target())));
    co_return false;
  }
  auto url = parse_url(view(head.target()));
  if (url && url->scheme != "http") url = fail(Errc::invalid, "https goes through CONNECT", "invalid_url");
  if (url && !can_pass_on(head)) {
    url = fail(Errc::invalid, "the transfer coding of the request is not supported", "malformed_request");
  }
  if (!url) {
    co_await refuse(std::move(url.error()));
    co_return false;
  }
  co_return co_await forward(request, std::move(*url));
}

Result<void> Connection::admit(const http::fields& fields) {
  const auto token = read_proxy_user(fields);
  auto account = token ? context_.tokens.find(*token) : nullptr;
  if (!account || (account_ && account_ != account)) {
    return fail(Errc::unauthorized, "the proxy needs the token of a job as user name");
  }
  if (account_) return {};
  const auto limit = context_.options.max_tunnels_per_job;
  auto spent = account->connections.size() >= limit ? too_many_connections(limit) : account->exhausted();
  if (spent) {
    if (account->on_limit) account->on_limit(spent->reason);
    return fail(std::move(*spent));
  }
  account_ = std::move(account);
  account_->connections.insert(this);
  return {};
}

Task<void> Connection::refuse(Error error) {
  if (account_ && is_refusal(error)) {
    log_info("egress refused", {{"reason", error.reason}, {"error", error.message}});
    account_->refuse(error);
  }
  if (account_ && error.reason.starts_with("upstream_")) account_->upstream_failure = error;
  const std::string answer = error_answer(error);
  const auto [failed, written] = co_await asio::async_write(client_, asio::buffer(answer), as_result);
  if (!failed) co_await drain_client();
}

// Closing a socket with unread input resets it, and the client may lose the answer.
Task<void> Connection::drain_client() {
  error_code error;
  client_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  awaiting_answer_ = false;
  watchdog_.arm(kDrainTime);
  const auto sink = buffer(upload_buffer_);
  std::size_t drained = 0;
  while (!error && drained < kMaxDrained) {
    const auto [ended, size] =
        co_await client_.async_read_some(asio::buffer(sink.data(), sink.size()), as_result);
    error = ended;
    drained += size;
  }
}

Task<Result<void>> Connection::connect(std::string host, std::uint16_t port, Place place) {
  close_origin();
  const bool service = place == Place::service;
  if (auto judged = service ? Result<void>() : context_.policy.judge_connection(host, port); !judged)
    co_return judged;
  watchdog_.pause();  // Resolving and dialling keep their own deadlines.
  ++account_->traffic.connections;
  ++context_.traffic.connections;
  const auto upstream = account_->terms.upstream;
  Result<void> connected;
  if (service)
    connected = co_await connect_to_service(std::move(host), port);
  else if (upstream)
    connected = co_await connect_through(*upstream, std::move(host), port);
  else
    connected = co_await connect_directly(std::move(host), port);
  if (aborted_) co_return fail(Errc::cancelled, "the job has ended");
  watchdog_.arm(context_.options.idle_timeout);
  co_return connected;
}

Task<Result<void>> Connection::connect_directly(std::string host, std::uint16_t port) {
  const auto limit = context_.options.connect_timeout;
  auto addresses = co_await resolve_judged(context_.policy, std::move(host), port, limit);
  if (!addresses) co_return fail(std::move(addresses.error()));
  if (aborted_) co_return fail(Errc::cancelled, "the job has ended");
  co_return co_await dial(context_.policy, origin_, std::move(*addresses), port, limit);
}

// The operator named the upstream, so only what is asked of it is judged. What a name means to an
// upstream that resolves it is known to nobody here; what it means here has to be allowed at least.
Task<Result<void>> Connection::connect_through(const Upstream& upstream, std::string host,
                                               std::uint16_t port) {
  const auto limit = context_.options.connect_timeout;
  auto addresses = co_await resolve_judged(context_.policy, host, port, limit);
  const bool must_resolve = !upstream.remote_dns;
  if (!addresses && (must_resolve || addresses.error().code == Errc::forbidden))
    co_return fail(std::move(addresses.error()));
  if (must_resolve) {
    const auto v4 = std::ranges::find_if(*addresses, [](const auto& a) { return a.is_v4(); });
    host = (v4 == addresses->end() ? addresses->front() : *v4).to_string();
  }
  auto found = co_await resolve(upstream.host, limit);
  if (aborted_) co_return fail(Errc::cancelled, "the job has ended");
  Result<asio::ip::tcp::endpoint> reached = fail(Errc::unavailable, "");
  if (found) reached = co_await connect_first(origin_, std::move(*found), upstream.port, limit);
  if (!reached) {
    co_return fail(Errc::unavailable, fmt::format("the proxy {} cannot be reached", upstream.name()),
                   "upstream_failed");
  }
  co_return co_await ask_upstream(origin_, upstream, std::move(host), port, limit);
}

// The operator named it, so it is not judged, and no upstream is asked for it.
Task<Result<void>> Connection::connect_to_service(std::string host, std::uint16_t port) {
  const auto limit = context_.options.connect_timeout;
  auto found = co_await resolve(host, limit);
  if (!found) co_return fail(std::move(found.error()));
  if (aborted_) co_return fail(Errc::cancelled, "the job has ended");
  const auto reached = co_await connect_first(origin_, std::move(*found), port, limit);
  if (!reached) co_return fail(reached.error());
  co_return Result<void>();
}

Flow Connection::to_origin() {
  return {client_, from_client_, origin_, buffer(upload_buffer_), watchdog_, [this](std::uint64_t bytes) {
            context_.traffic.sent += bytes;
            return account_->send(bytes);
          }};
}

Flow Connection::from_origin() {
  return {origin_, from_origin_, client_, buffer(download_buffer_), watchdog_, [this](std::uint64_t bytes) {
            context_.traffic.received += bytes;
            return account_->receive(bytes);
          }};
}

Pace Connection::pace() const {
  return {context_.options.min_bytes_per_window, context_.options.pace_window};
}

Task<void> Connection::tunnel(std::string target) {
  using namespace asio::experimental::awaitable_operators;
  auto authority = parse_authority(target);
  if (authority && !authority->port) authority = fail(Errc::invalid, "CONNECT needs a port", "invalid_url");
  if (!authority) co_return co_await refuse(std::move(authority.error()));
  if (auto connected = co_await connect(authority->host, *authority->port); !connected) {
    co_return co_await refuse(std::move(connected.error()));
  }
  constexpr std::string_view kEstablished = "HTTP/1.1 200 Connection established\r\n\r\n";
  const auto [error, written] = co_await asio::async_write(client_, asio::buffer(kEstablished), as_result);
  if (error) co_return;
  watchdog_.arm(context_.options.idle_timeout, pace());
  co_await (pump(to_origin()) && pump(from_origin()));
}

Task<bool> Connection::forward(RequestParser& request, Url url) {
  const bool service = !account_->service_name.empty() && url.host == account_->service_name;
  if (service) {
    url.host = context_.options.service->host;
    url.port = context_.options.service->port;
  }
  // A connection to the service was not judged: nothing else may be asked on it.
  const std::string name = fmt::format("{}{}:{}", service ? "the service at " : "", url.host, url.port);
  // A connection kept open may be gone by the time it is used again. Only what can be sent twice
  // is risked on one.
  if (is_repeatable(request) && origin_.is_open() && name == origin_name_) {
    const Exchange again = co_await exchange(request, url);
    if (again != Exchange::no_answer) co_return again == Exchange::keep_open;
  }
  if (!answer_late_) {
    const auto place = service ? Place::service : Place::anywhere;
    if (auto connected = co_await connect(url.host, url.port, place); !connected) {
      co_await refuse(std::move(connected.error()));
      co_return false;
    }
    origin_name_ = name;
    const Exchange first = co_await exchange(request, url);
    if (first != Exchange::no_answer) co_return first == Exchange::keep_open;
  }
  if (answer_late_)
    co_await refuse({Errc::timeout, fmt::format("{} did not answer in time", name), "answer_timeout"});
  else
    co_await refuse({Errc::unavailable, fmt::format("{} gave no valid answer", name), "no_answer"});
  co_return false;
}

Task<RelayErrors> Connection::send_request(RequestParser& request, const Url& url) {
  const bool expects = boost::beast::iequals(request.get()[http::field::expect], "100-continue");
  if (expects && !request.is_done() && from_client_.size() == 0) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto [error, written] = co_await asio::async_write(client_, asio::buffer(kContinue), as_result);
    if (error) co_return RelayErrors{.source = error, .sink = {}};
  }
  const BodyShape body = shape_of(request);
  std::string head = origin_head(request.get(), url, body, request.keep_alive());
  if (!account_->send(head.size()))
    co_return RelayErrors{.source = asio::error::operation_aborted, .sink = {}};
  co_return co_await relay_message<true>(to_origin(), request, std::move(head), body.framing);
}

// False if there is none that can be passed on.
Task<bool> Connection::read_answer_head(std::optional<ResponseParser>& response, bool is_head) {
  for (int i = 0; i < kMaxInterimAnswers; ++i) {
    response.emplace();
    response->header_limit(kMaxAnswerHead);
    response->body_limit(boost::none);
    response->skip(is_head);
    from_origin_.reserve(kRelayBuffer);
    const auto [error, size] = co_await http::async_read_header(origin_, from_origin_, *response, as_result);
    if (!account_->receive(size) || error) co_return false;
    const auto status = response->get().result_int();
    if (status >= 200) co_return can_pass_on(response->get());
    if (status == 101) co_return false;  // Nobody asked for it: Upgrade is not passed on.
  }
  co_return false;
}

Task<Connection::Exchange> Connection::exchange(RequestParser& request, const Url& url) {
  awaiting_answer_ = true;
  watchdog_.touch();
  const RelayErrors sent = co_await send_request(request, url);
  if (sent.source) {
    abort();
    co_return Exchange::close;
  }
  // An origin that stops reading (413) has usually said why.
  std::optional<ResponseParser> response;
  const bool answered = co_await read_answer_head(response, request.get().method() == http::verb::head);
  awaiting_answer_ = false;
  if (!answered || answer_late_) co_return Exchange::no_answer;
  watchdog_.touch();

  const BodyShape body = shape_for_client(*response, request.get().version() >= 11);
  const bool keep_client = sent.none() && request.is_done() && request.keep_alive() &&
                           request.get().version() >= 11 && body.framing != Framing::until_close;
  watchdog_.arm(context_.options.idle_timeout, pace());
  const RelayErrors received = co_await relay_message<false>(
      from_origin(), *response, client_head(response->get(), body, keep_client), body.framing);
  if (received.source) reset_client();
  if (!received.none()) co_return Exchange::close;
  // Bytes after the end of an answer belong to nothing that was asked for.
  if (!response->keep_alive() || from_origin_.size() > 0 || !keep_client) close_origin();
  if (!keep_client && !request.is_done()) co_await drain_client();
  co_return keep_client ? Exchange::keep_open : Exchange::close;
}

}  // namespace trawl::net::detail
