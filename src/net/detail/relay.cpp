#include "net/detail/relay.h"

#include <array>
#include <string_view>

#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <fmt/format.h>

namespace trawl::net::detail {
namespace {

using boost::system::error_code;

[[nodiscard]] bool count(const Flow& flow, std::size_t bytes) {
  flow.watchdog.touch(bytes);
  return flow.count(bytes);
}

void close_both(const Flow& flow) {
  error_code ignored;
  flow.from.close(ignored);
  flow.to.close(ignored);
}

// The pieces of one write: what belongs before and after `size` bytes of body.
struct Wrapping {
  std::string before;
  std::string_view after;
};

Wrapping wrap(Framing framing, std::size_t size, bool last) {
  if (framing != Framing::chunked) return {};
  if (size == 0) return {.before = "", .after = last ? "0\r\n\r\n" : ""};
  return {.before = fmt::format("{:x}\r\n", size), .after = last ? "\r\n0\r\n\r\n" : "\r\n"};
}

}  // namespace

Task<void> pump(Flow flow) {
  if (flow.ahead.size() > 0) {
    if (!count(flow, flow.ahead.size())) co_return close_both(flow);
    const auto [error, written] = co_await asio::async_write(flow.to, flow.ahead.data(), as_result);
    flow.ahead.consume(written);
    if (error) co_return close_both(flow);
  }
  for (;;) {
    const auto [ended, size] = co_await flow.from.async_read_some(asio::buffer(flow.buffer), as_result);
    if (ended == asio::error::eof) break;
    if (ended) co_return close_both(flow);
    if (!count(flow, size)) co_return close_both(flow);
    const auto [failed, written] =
        co_await asio::async_write(flow.to, asio::buffer(flow.buffer.data(), size), as_result);
    if (failed) co_return close_both(flow);
    flow.watchdog.touch();
  }
  error_code ignored;
  flow.to.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

template <bool is_request>
Task<RelayErrors> relay_message(Flow flow, http::parser<is_request, http::buffer_body>& parser,
                                std::string head, Framing framing) {
  bool last = parser.is_done();
  parser.eager(true);
  // A body that is still on its way must not hold up the head.
  bool head_alone = !last && flow.ahead.size() == 0;
  do {
    std::size_t size = 0;
    if (!last && !head_alone) {
      auto& body = parser.get().body();
      body.data = flow.buffer.data();
      body.size = flow.buffer.size();
      auto [error, read] = co_await http::async_read_some(flow.from, flow.ahead, parser, as_result);
      if (error == http::error::need_buffer) error = {};
      if (error) co_return RelayErrors{.source = error, .sink = {}};
      if (!count(flow, read)) co_return RelayErrors{.source = asio::error::operation_aborted, .sink = {}};
      size = flow.buffer.size() - body.size;
      last = parser.is_done();
    }
    head_alone = false;
    const Wrapping around = wrap(framing, size, last && !head_alone);
    const std::array<asio::const_buffer, 4> pieces{asio::buffer(head), asio::buffer(around.before),
                                                   asio::buffer(flow.buffer.data(), size),
                                                   asio::buffer(around.after)};
    const auto [error, written] = co_await asio::async_write(flow.to, pieces, as_result);
    if (error) co_return RelayErrors{.source = {}, .sink = error};
    flow.watchdog.touch();
    head.clear();
  } while (!last);
  co_return RelayErrors{};
}

template Task<RelayErrors> relay_message<true>(Flow, RequestParser&, std::string, Framing);
template Task<RelayErrors> relay_message<false>(Flow, ResponseParser&, std::string, Framing);

}  // namespace trawl::net::detail
