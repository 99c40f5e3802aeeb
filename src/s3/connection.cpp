#include "s3/connection.h"

#include <algorithm>
#include <unistd.h>

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/text.h"

namespace trawl::s3 {
namespace {

constexpr std::size_t kLongestAnswer = 16 << 20;
constexpr long kConnectSeconds = 10, kQuietSeconds = 60, kBuffer = 256 << 10;

// What is sent and received while a call is under way.
struct Exchange {
  const Call& call;
  const std::atomic<bool>& interrupted;
  std::int64_t sent = 0;
  Answer answer;
};

std::size_t collect(const char* data, std::size_t, std::size_t size, void* into) {
  std::string& body = static_cast<Exchange*>(into)->answer.body;
  if (body.size() + size > kLongestAnswer) return 0;
  body.append(data, size);
  return size;
}

std::size_t take_header(const char* data, std::size_t, std::size_t size, void* into) {
  Answer& answer = static_cast<Exchange*>(into)->answer;
  const std::string_view line(data, size);
  const auto colon = line.find(':');
  if (line.starts_with("HTTP/")) answer.headers.clear();
  if (colon != std::string_view::npos)
    answer.headers[to_lower(trim(line.substr(0, colon)))] = std::string(trim(line.substr(colon + 1)));
  return size;
}

std::size_t give(char* out, std::size_t, std::size_t size, void* from) {
  auto& exchange = *static_cast<Exchange*>(from);
  if (!exchange.call.file) {
    const std::string& body = exchange.call.body;
    const std::size_t rest = body.size() - static_cast<std::size_t>(exchange.sent);
    const std::size_t taken = body.copy(out, std::min(size, rest), static_cast<std::size_t>(exchange.sent));
    exchange.sent += static_cast<std::int64_t>(taken);
    return taken;
  }
  const FilePart& part = *exchange.call.file;
  const auto rest = static_cast<std::size_t>(part.length - exchange.sent);
  const ssize_t taken = ::pread(part.descriptor, out, std::min(size, rest), part.offset + exchange.sent);
  if (taken < 0 || (taken == 0 && rest > 0)) return CURL_READFUNC_ABORT;
  exchange.sent += taken;
  return static_cast<std::size_t>(taken);
}

// curl sends the body again when a kept connection turns out to be closed.
int seek(void* of, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Exchange*>(of)->sent = offset;
  return CURL_SEEKFUNC_OK;
}

int look(void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& exchange = *static_cast<Exchange*>(of);
  const std::atomic<bool>* stopped = exchange.call.stopped;
  return exchange.interrupted || (stopped && *stopped) ? 1 : 0;
}

std::string url_of(const Bucket& bucket, const Call& call) {
  std::string out = bucket.origin + path_of(bucket, call.key);
  char joint = '?';
  for (const auto& [name, value] : call.query) {
    out += fmt::format("{}{}={}", joint, percent_encode(name), percent_encode(value));
    joint = '&';
  }
  return out;
}

using Lines = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

Lines lines_of(const Call& call, const aws::Keys& keys) {
  curl_slist* list = nullptr;
  const auto add = [&list](const std::string& line) { list = curl_slist_append(list, line.c_str()); };
  for (const auto& [name, value] : call.headers) add(fmt::format("{}: {}", name, value));
  add("x-amz-content-sha256: " + (call.sha256.empty() ? sha256_hex(call.body) : call.sha256));
  if (!keys.token.empty()) add("x-amz-security-token: " + keys.token);
  add("Expect:");
  return {list, curl_slist_free_all};
}

void choose_method(CURL* curl, const Call& call) {
  curl_easy_setopt(curl, CURLOPT_NOBODY, 0L);
  curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, nullptr);
  if (call.method == "GET") return;
  if (call.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    return;
  }
  if (call.method == "PUT" || call.method == "POST") {
    const auto size = call.file ? call.file->length : static_cast<std::int64_t>(call.body.size());
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
}

}  // namespace

Connection::Connection(const Bucket& bucket, const ConnectionOptions& options,
                       const std::atomic<bool>& interrupted)
    : bucket_(bucket), options_(options), interrupted_(interrupted), handle_(curl_easy_init()) {}

std::expected<Answer, std::string> Connection::call(const Call& call, const aws::Keys& keys) {
  Exchange exchange{.call = call, .interrupted = interrupted_};
  CURL* curl = handle_.get();
  curl_easy_reset(curl);  // Keeps the connection.
  const Lines lines = lines_of(call, keys);
  curl_easy_setopt(curl, CURLOPT_URL, url_of(bucket_, call).c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kQuietSeconds);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, kBuffer);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kBuffer);
  if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:s3", bucket_.region).c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, keys.access.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, keys.secret.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
  curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek);
  curl_easy_setopt(curl, CURLOPT_SEEKDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
  choose_method(curl, call);
  char why[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
  const CURLcode done = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  if (done != CURLE_OK) return std::unexpected(std::string(why[0] ? why : curl_easy_strerror(done)));
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &exchange.answer.status);
  return std::move(exchange.answer);
}

}  // namespace trawl::s3
