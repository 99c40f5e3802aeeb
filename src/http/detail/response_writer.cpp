#include "http/detail/response_writer.h"

#include <fmt/format.h>

#include "base/log.h"
#include "http/accept.h"
#include "http/detail/gzip.h"

namespace trawl::http::detail {
namespace {

constexpr std::size_t kBlock = 256 << 10;
constexpr std::size_t kSentWithHead =
    64 << 10;  // A body up to this size is copied behind its head: one packet, one call.
constexpr std::size_t kCompressedHere = 64 << 10;  // A longer one would hold up the other connections.

Response unreadable(const Request& request, const Error& error) {
  log_error("a file cannot be served",
            {{"request_id", request.id}, {"path", request.path}, {"error", error.message}});
  if (error.code == Errc::not_found)
    return error_response(request, 404, "not_found", "the file is not there any more");
  return error_response(request, 500, "internal_error", "the file cannot be read");
}

}  // namespace

// A response with its body at hand.
struct ResponseWriter::Plan {
  Response response;
  std::unique_ptr<FileReader> file;  // Null when the body is text or not sent at all.
  std::shared_ptr<BodyStream> stream;
  std::uint64_t length = 0;
  bool head_only = false;
};

Task<void> ResponseWriter::compress(const Request& request, Response& response) {
  if (!compressible(response)) co_return;
  response.headers.append("Vary", "Accept-Encoding");
  if (!accepts_gzip(request.headers.find("Accept-Encoding").value_or(""))) co_return;
  auto& body = std::get<std::string>(response.body);
  if (body.size() <= kCompressedHere)
    body = gzip(body);
  else
    body = co_await pool_.run([&body] { return gzip(body); });
  response.headers.set("Content-Encoding", "gzip");
}

Task<ResponseWriter::Plan> ResponseWriter::plan(const Request& request, Response response) {
  co_await compress(request, response);
  const bool head_only = request.method == "HEAD" || bodiless(response.status);
  std::unique_ptr<FileReader> file;
  if (const auto* body = std::get_if<FileBody>(&response.body); body && !head_only) {
    auto opened = co_await FileReader::open(pool_, *body);
    if (opened)
      file = std::move(*opened);
    else
      response = unreadable(request, opened.error());
  }
  std::shared_ptr<BodyStream> stream;
  std::uint64_t length = 0;
  if (const auto* body = std::get_if<FileBody>(&response.body)) length = body->length;
  if (const auto* text = std::get_if<std::string>(&response.body)) length = text->size();
  if (const auto* body = std::get_if<std::shared_ptr<BodyStream>>(&response.body)) stream = *body;
  if (stream) length = stream->length().value_or(0);
  co_return Plan{std::move(response), std::move(file), std::move(stream), length, head_only};
}

Task<Sent> ResponseWriter::send(const Request& request, Response response, HeadContext context) {
  const Plan planned = co_await plan(request, std::move(response));
  context.content_length = planned.length;
  context.chunked = planned.stream && !planned.stream->length();
  std::string head = render_head(planned.response, context);
  Sent sent{.status = planned.response.status};

  std::string_view body;
  if (const auto* text = std::get_if<std::string>(&planned.response.body); text && !planned.head_only)
    body = *text;
  if (body.size() <= kSentWithHead) {
    head += body;
    sent.complete = co_await write(head);
  } else {
    sent.complete = co_await write(head) && co_await write(body);
  }
  if (sent.complete) sent.body_bytes = body.size();
  if (sent.complete && planned.file) co_await stream(request, *planned.file, sent);
  if (sent.complete && planned.stream && !planned.head_only)
    co_await pump(request, *planned.stream, context.chunked && !context.http_1_0, sent);
  co_return sent;
}

Task<void> ResponseWriter::stream(const Request& request, FileReader& file, Sent& sent) {
  while (file.remaining() > 0) {
    const auto block = co_await file.next();
    if (!block) {
      log_error("a file could not be sent to its end",
                {{"request_id", request.id}, {"path", request.path}, {"error", block.error().message}});
      sent.complete = false;
      co_return;
    }
    sent.complete = co_await write({block->data(), block->size()});
    if (!sent.complete) co_return;
    sent.body_bytes += block->size();
  }
}

Task<void> ResponseWriter::pump(const Request& request, BodyStream& body, bool chunked, Sent& sent) {
  while (sent.complete) {
    const auto piece = co_await body.next();
    if (!piece) {
      log_error("a stream could not be sent to its end",
                {{"request_id", request.id}, {"path", request.path}, {"error", piece.error().message}});
      sent.complete = false;
      co_return;
    }
    if (!*piece) break;
    const std::string framed = chunked ? fmt::format("{:x}\r\n{}\r\n", (*piece)->size(), **piece) : **piece;
    sent.complete = co_await write(framed, stream_limit_);
    if (sent.complete) sent.body_bytes += (*piece)->size();
  }
  if (sent.complete && chunked) sent.complete = co_await write("0\r\n\r\n", stream_limit_);
}

Task<bool> ResponseWriter::write(std::string_view bytes, std::chrono::milliseconds limit) {
  for (std::size_t at = 0; at < bytes.size(); at += kBlock) {
    if (!co_await write_block(bytes.substr(at, kBlock), limit)) co_return false;
  }
  deadline_.disarm();
  co_return true;
}

Task<bool> ResponseWriter::write_block(std::string_view block, std::chrono::milliseconds limit) {
  deadline_.arm(limit);
  while (!block.empty()) {
    if (deadline_.passed()) co_return false;
    auto [error, size] =
        co_await socket_.async_write_some(asio::buffer(block.data(), block.size()), as_result);
    if (error) co_return false;
    block.remove_prefix(size);
  }
  co_return true;
}

}  // namespace trawl::http::detail
