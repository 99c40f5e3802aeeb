#include "http/detail/gzip.h"

#include <stdexcept>
#include <zlib.h>

namespace trawl::http::detail {
namespace {

constexpr std::size_t kWorthwhile = 1000;
constexpr int kLevel = 5;
constexpr int kGzipWindow = 15 + 16;  // zlib: 32 KiB window, gzip framing.
constexpr int kMemoryLevel = 8;

}  // namespace

bool compressible(const Response& response) {
  const auto* body = std::get_if<std::string>(&response.body);
  return body && body->size() > kWorthwhile &&
         response.headers.find("Content-Type").value_or("").starts_with("application/json") &&
         !response.headers.find("Content-Encoding") && !response.headers.find("ETag");
}

std::string gzip(std::string_view body) {
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot start");
  }
  std::string out(deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int end = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (end != Z_STREAM_END) throw std::runtime_error("zlib did not finish");
  return out;
}

}  // namespace trawl::http::detail
