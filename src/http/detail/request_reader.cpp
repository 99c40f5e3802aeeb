#include "http/detail/request_reader.h"

#include <functional>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include "base/text.h"
#include "http/detail/field_value.h"
#include "http/detail/head_check.h"
#include "http/detail/request_target.h"

namespace trawl::http::detail {
namespace {

namespace beast = boost::beast;
using error_code = boost::system::error_code;

constexpr std::size_t kHeadBlock = 4 << 10;
constexpr std::size_t kBodyBlock = 32 << 10;
constexpr std::size_t kPiece = 16 << 10;

ReadFailure failure(int status, std::string code, std::string message) {
  return {.status = status, .code = std::move(code), .message = std::move(message), .request = {}};
}

ReadFailure bad_request(std::string message) {
  return failure(400, "bad_request", std::move(message));
}

ReadFailure too_large(std::size_t limit) {
  return failure(413, "too_large",
                 "the request body exceeds " + to_text(ByteCount{static_cast<std::int64_t>(limit)}));
}

ReadFailure head_too_large(std::string_view bytes) {
  if (!bytes.contains('\n')) return failure(414, "uri_too_long", "the request line is too long");
  return failure(431, "header_too_large", "the request header is too large");
}

// Beast lets quoted chunk extensions hold line feeds, which others take for the end of the line.
void check_chunk(std::uint64_t, beast::string_view extensions, error_code& error) {
  for (const char c : extensions) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
      error = beast::http::error::bad_chunk_extension;
  }
}

// Clients that send head and body apart without TCP_NODELAY hold the body back until the head is
// acknowledged, which a delayed acknowledgement makes 40 ms.
void acknowledge_at_once(boost::asio::ip::tcp::socket& socket) {
  const int on = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

}  // namespace

// A string that grows with what arrives. Beast's own reserves at once what Content-Length promises.
struct GrowingBody {
  using value_type = std::string;
  static std::uint64_t size(const value_type& body) { return body.size(); }

  class reader {
   public:
    template <bool isRequest, class Fields>
    reader(beast::http::header<isRequest, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>&, error_code& error) { error = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      const std::size_t before = body_.size();
      for (const auto buffer : beast::buffers_range_ref(buffers))
        body_.append(static_cast<const char*>(buffer.data()), buffer.size());
      error = {};
      return body_.size() - before;
    }
    void finish(error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

struct RequestReader::Parser {
  using Message = beast::http::request_parser<GrowingBody>;

  beast::flat_buffer buffer;
  std::optional<Message> message;
  std::function<void(std::uint64_t, beast::string_view, error_code&)> on_chunk = check_chunk;

  [[nodiscard]] std::string_view bytes() const {
    return {static_cast<const char*>(buffer.data().data()), buffer.size()};
  }

  void begin(const ServerOptions& options) {
    message.emplace();
    message->header_limit(static_cast<std::uint32_t>(options.max_header));
    message->body_limit(boost::none);  // Which one holds is known when the route is.
    message->on_chunk_header(on_chunk);
  }

  // Feeds what is there; need_more asks for another read.
  error_code put() {
    error_code error;
    buffer.consume(message->put(buffer.data(), error));
    return error;
  }
};

RequestReader::RequestReader(asio::ip::tcp::socket& socket, Deadline& deadline, const ServerOptions& options)
    : socket_(socket), deadline_(deadline), options_(options), parser_(std::make_unique<Parser>()) {}

RequestReader::~RequestReader() = default;

bool RequestReader::at_start() const {
  return parser_->buffer.size() == 0;
}

Task<std::expected<void, ReadFailure>> RequestReader::fill() {
  const auto late = [this] {
    return std::unexpected(at_start() && !parser_->message
                               ? ReadFailure{}
                               : failure(408, "timeout", "the request took too long to arrive"));
  };
  if (deadline_.passed()) co_return late();
  auto [error, size] = co_await socket_.async_read_some(
      parser_->buffer.prepare(parser_->message ? kBodyBlock : kHeadBlock), as_result);
  if (deadline_.passed()) co_return late();
  if (error) co_return std::unexpected(ReadFailure{});
  parser_->buffer.commit(size);
  co_return std::expected<void, ReadFailure>();
}

Task<std::expected<std::size_t, ReadFailure>> RequestReader::await_head() {
  deadline_.arm(options_.read_timeout);
  bool skipped_line = false;
  bool begun = !at_start();
  for (std::size_t seen = 0;;) {
    const std::string_view bytes = parser_->bytes();
    const HeadScan scan = scan_head(bytes, seen);
    if (scan.state == HeadScan::State::malformed)
      co_return std::unexpected(bad_request("a line of the request does not end in CR LF"));
    if (scan.size == 2 && !skipped_line) {  // RFC 9112 2.2: one empty line before the request is ignored.
      skipped_line = true;
      parser_->buffer.consume(2);
      seen = 0;
      continue;
    }
    if (scan.state == HeadScan::State::complete && scan.size <= options_.max_header) co_return scan.size;
    if (bytes.size() >= options_.max_header)
      co_return std::unexpected(head_too_large(bytes.substr(0, options_.max_header)));
    seen = bytes.size();
    if (auto filled = co_await fill(); !filled) co_return std::unexpected(std::move(filled.error()));
    if (!begun) deadline_.arm(options_.read_timeout);
    begun = true;
  }
}

std::expected<Incoming, ReadFailure> RequestReader::parse_head(std::size_t size) {
  if (auto problem = check_head(parser_->bytes().substr(0, size))) {
    return std::unexpected(failure(
        problem->status, problem->status == 431 ? "header_too_large" : "bad_request", problem->message));
  }
  parser_->begin(options_);
  const error_code error = parser_->put();
  const auto& message = parser_->message->get();

  Incoming in{.request = {}, .http_1_0 = message.version() == 10};
  in.request.method = message.method_string();
  for (const auto& field : message)
    in.request.headers.append(std::string(field.name_string()), std::string(field.value()));
  in.request.id = choose_request_id(in.request.headers.find("X-Request-ID").value_or(""));
  auto target = parse_target(in.request.method, {message.target().data(), message.target().size()});
  if (target) in.request.path = std::move(target->path), in.request.query = std::move(target->query);

  const auto refuse = [&](ReadFailure why) {
    why.request = std::move(in.request);
    return std::unexpected(std::move(why));
  };
  if (error) return refuse(bad_request("the request is malformed: " + error.message()));
  if (!target) return refuse(bad_request(target.error().message));
  if (const auto expect = in.request.headers.find("Expect")) {
    if (!same_token(*expect, "100-continue"))
      return refuse(failure(417, "expectation_failed", "the only Expect understood is 100-continue"));
    in.expects_continue = !in.http_1_0 && !parser_->message->is_done() && at_start();
  }
  in.keep_alive = parser_->message->keep_alive();
  return in;
}

Task<std::expected<Incoming, ReadFailure>> RequestReader::read_head() {
  parser_->message.reset();
  if (at_start() && parser_->buffer.capacity() > kHeadBlock) parser_->buffer.shrink_to_fit();
  const auto size = co_await await_head();
  auto head = size ? parse_head(*size) : std::unexpected(size.error());
  if (!head && head.error().request.id.empty()) head.error().request.id = choose_request_id("");
  co_return head;
}

std::expected<void, ReadFailure> RequestReader::check_body() const {
  const auto length = parser_->message->content_length();
  if (length && *length > options_.max_body) return std::unexpected(too_large(options_.max_body));
  return {};
}

bool RequestReader::body_done() const {
  return parser_->message && parser_->message->is_done();
}

Task<std::expected<std::string, ReadFailure>> RequestReader::read_body() {
  if (!parser_->message->is_done()) acknowledge_at_once(socket_);
  parser_->message->body_limit(options_.max_body);
  if (auto read = co_await advance(SIZE_MAX); !read) co_return std::unexpected(std::move(read.error()));
  co_return std::move(parser_->message->get().body());
}

Task<std::expected<std::string, ReadFailure>> RequestReader::read_piece() {
  deadline_.arm(options_.read_timeout);
  auto read = co_await advance(kPiece);
  deadline_.disarm();
  if (!read) co_return std::unexpected(std::move(read.error()));
  co_return std::exchange(parser_->message->get().body(), {});
}

Task<std::expected<void, ReadFailure>> RequestReader::advance(std::size_t wanted) {
  auto& message = *parser_->message;
  message.eager(true);
  while (!message.is_done() && message.get().body().size() < wanted) {
    if (!at_start()) {
      const error_code error = parser_->put();
      if (error == beast::http::error::body_limit) co_return std::unexpected(too_large(options_.max_body));
      if (error && error != beast::http::error::need_more)
        co_return std::unexpected(bad_request("the request body is malformed: " + error.message()));
      if (message.is_done() || message.get().body().size() >= wanted) break;
      if (parser_->buffer.size() > options_.max_header)
        co_return std::unexpected(bad_request("a chunk header or trailer is too long"));
    }
    if (auto filled = co_await fill(); !filled) co_return std::unexpected(std::move(filled.error()));
  }
  co_return std::expected<void, ReadFailure>();
}

}  // namespace trawl::http::detail
