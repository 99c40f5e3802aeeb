#include "transfer/detail/exchange.h"

#include <algorithm>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "base/text.h"
#include "transfer/detail/hop.h"

namespace trawl::transfer::detail {
namespace {

constexpr long kBuffer = 256 * 1024;
constexpr long kBufferOfLimited = 32 * 1024;
constexpr std::size_t kIgnoredBody = 64 * 1024;
constexpr std::int64_t kQuietBytesPerSecond = 1024;

std::optional<asio::ip::address> read_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    return asio::ip::address_v4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return std::nullopt;
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, bytes.size());
  return asio::ip::address_v6(bytes);
}

std::string bracketed(const asio::ip::address& address) {
  return address.is_v6() ? fmt::format("[{}]", address.to_string()) : address.to_string();
}

// "+": forgotten again after a minute, so the process does not collect every name it ever saw.
std::string resolve_entry(const Hop& hop) {
  std::string out = fmt::format("+{}:{}:", hop.url.host, hop.url.port);
  for (const auto& address : hop.addresses) {
    if (!out.ends_with(':')) out += ',';
    out += bracketed(address);
  }
  return out;
}

std::uint16_t port_of(const sockaddr& address) {
  return ntohs(address.sa_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::string range_text(const media::ByteRange& range) {
  if (range.last == kToTheEnd) return fmt::format("bytes={}-", range.first);
  return fmt::format("bytes={}-{}", range.first, range.last);
}

bool append(curl_slist*& list, const std::string& line) {
  auto* longer = ::curl_slist_append(list, line.c_str());
  if (!longer) return false;
  list = longer;
  return true;
}

Error translate(CURLcode code, const std::string& url) {
  const auto text = fmt::format("{}: {}", net::redact_url(url), ::curl_easy_strerror(code));
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {Errc::timeout, text, "origin_timeout"};
    case CURLE_PARTIAL_FILE:
      return {Errc::unavailable, text, "truncated"};
    // It will not be trusted by asking again.
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return {Errc::forbidden, text, "certificate_invalid"};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
      return {Errc::unavailable, text, "tls_error"};
    default:
      return {Errc::unavailable, text, "network_error"};
  }
}

template <class Value>
bool set(CURL* easy, CURLoption option, Value value) {
  return ::curl_easy_setopt(easy, option, value) == CURLE_OK;
}

}  // namespace

Exchange::Exchange(const net::EgressPolicy& policy, const ClientLimits& limits, Trust trust,
                   const Request& request, Sink& sink)
    : policy_(policy),
      limits_(limits),
      trust_(std::move(trust)),
      sink_(sink),
      range_(request.range),
      if_range_(request.if_range),
      post_(request.post),
      own_connection_(request.own_connection),
      proxy_(proxy_route(request.proxy)),
      easy_(::curl_easy_init()) {
  if (!easy_) return;
  set(easy_, CURLOPT_COOKIEFILE, "");
  for (const auto& cookie : request.cookies) {
    if (const auto line = cookie_line(cookie); !line.empty()) set(easy_, CURLOPT_COOKIELIST, line.c_str());
  }
}

Exchange::~Exchange() {
  ::curl_easy_cleanup(easy_);
  ::curl_slist_free_all(headers_);
  ::curl_slist_free_all(resolve_);
}

void Exchange::limit_by(std::shared_ptr<TokenBucket> bucket) {
  if (bucket) buckets_.push_back(std::move(bucket));
}

bool Exchange::set_options() {
  const auto connect = std::chrono::milliseconds(limits_.connect_timeout).count();
  return set(easy_, CURLOPT_PRIVATE, this) && set(easy_, CURLOPT_NOSIGNAL, 1L) && set_proxy() &&
         set(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED)) &&
         set(easy_, CURLOPT_PROTOCOLS_STR, "http,https") && set(easy_, CURLOPT_FOLLOWLOCATION, 0L) &&
         set(easy_, CURLOPT_MAXREDIRS, 0L) &&
         set(easy_, CURLOPT_HTTP_VERSION,
             static_cast<long>(own_connection_ ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS)) &&
         set(easy_, CURLOPT_SSL_VERIFYPEER, 1L) && set(easy_, CURLOPT_SSL_VERIFYHOST, 2L) &&
         // Nothing is read from files: the authorities come with on_tls().
         set(easy_, CURLOPT_CAINFO, nullptr) && set(easy_, CURLOPT_CAPATH, nullptr) &&
         set(easy_, CURLOPT_SSL_CTX_FUNCTION, &Exchange::on_tls) && set(easy_, CURLOPT_SSL_CTX_DATA, this) &&
         set(easy_, CURLOPT_PIPEWAIT, own_connection_ ? 0L : 1L) && set(easy_, CURLOPT_TCP_NODELAY, 1L) &&
         set(easy_, CURLOPT_BUFFERSIZE, buckets_.empty() && !host_rate_ ? kBuffer : kBufferOfLimited) &&
         set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect)) &&
         set(easy_, CURLOPT_HTTP_CONTENT_DECODING, 0L) &&
         set(easy_, CURLOPT_HEADERFUNCTION, &Exchange::on_header) && set(easy_, CURLOPT_HEADERDATA, this) &&
         set(easy_, CURLOPT_WRITEFUNCTION, &Exchange::on_body) && set(easy_, CURLOPT_WRITEDATA, this) &&
         set(easy_, CURLOPT_OPENSOCKETFUNCTION, &Exchange::on_open) &&
         set(easy_, CURLOPT_OPENSOCKETDATA, this) &&
         set(easy_, CURLOPT_PREREQFUNCTION, &Exchange::on_connected) && set(easy_, CURLOPT_PREREQDATA, this);
}

bool Exchange::set_proxy() {
  if (!proxy_) return set(easy_, CURLOPT_PROXY, "");
  return set(easy_, CURLOPT_PROXY, proxy_->url.c_str()) &&
         set(easy_, CURLOPT_PROXYUSERPWD, proxy_->credentials.c_str()) &&
         set(easy_, CURLOPT_PROXYAUTH, static_cast<long>(CURLAUTH_BASIC)) &&
         set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

bool Exchange::prepare(const Hop& hop) {
  if (!easy_) return false;
  ::curl_slist_free_all(std::exchange(headers_, nullptr));
  ::curl_slist_free_all(std::exchange(resolve_, nullptr));
  url_ = net::to_string(hop.url);
  host_rate_ = hop.host_rate;
  head_ = {};
  head_.url = url_;
  begun_ = enough_ = paused_ = false;
  ignored_ = 0;
  error_.reset();
  checked_.reset();
  quiet_ = {};

  bool ok = append(headers_, "Accept-Encoding: identity");
  if (post_) {
    // curl reads the body from here; "Expect" would cost a round trip.
    ok = ok && append(headers_, "Expect:") && set(easy_, CURLOPT_POSTFIELDS, post_->c_str()) &&
         set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post_->size()));
  }
  for (const auto& [name, value] : hop.headers) {
    ok = ok && append(headers_, value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  if (range_) ok = ok && append(headers_, "Range: " + range_text(*range_));
  if (if_range_) ok = ok && append(headers_, "If-Range: " + *if_range_);
  ok = ok && append(resolve_, proxy_ ? proxy_->resolve_entry : resolve_entry(hop));
  return ok && set_options() && set(easy_, CURLOPT_URL, url_.c_str()) &&
         set(easy_, CURLOPT_HTTPHEADER, headers_) && set(easy_, CURLOPT_RESOLVE, resolve_);
}

std::chrono::steady_clock::duration Exchange::debt(Time now) const {
  std::chrono::steady_clock::duration longest{};
  if (host_rate_) longest = host_rate_->debt(now);
  for (const auto& bucket : buckets_) longest = std::max(longest, bucket->debt(now));
  return longest;
}

void Exchange::resume() {
  paused_ = false;
  ::curl_easy_pause(easy_, CURLPAUSE_CONT);
}

bool Exchange::is_quiet(Time now) {
  const auto since = checked_ ? now - *checked_ : std::chrono::steady_clock::duration{};
  const double wanted = std::chrono::duration<double>(since).count() * kQuietBytesPerSecond;
  const bool enough = paused_ || static_cast<double>(std::exchange(recent_, 0)) >= wanted;
  checked_ = now;
  quiet_ = enough ? std::chrono::steady_clock::duration{} : quiet_ + since;
  return quiet_ >= limits_.quiet_timeout;
}

Result<Head> Exchange::outcome(CURLcode code) const {
  if (error_) return fail(*error_);
  if (cancelled_) return fail(Errc::cancelled, "the transfer was stopped");
  if (code == CURLE_OK || enough_) return head_;
  return fail(translate(code, url_));
}

bool Exchange::refuse(Error error) {
  error_ = std::move(error);
  return false;
}

std::size_t Exchange::on_header(char* text, std::size_t, std::size_t size, void* self) {
  return static_cast<Exchange*>(self)->take_header({text, size}) ? size : CURL_WRITEFUNC_ERROR;
}

// A status line begins a head and an empty line ends it; an interim answer (1xx) is one of several.
bool Exchange::take_header(std::string_view line) {
  if (begun_) return true;  // A trailer.
  if (line.starts_with("HTTP/")) {
    head_.headers.clear();
    return true;
  }
  line = trim(line);
  if (line.empty()) {
    long status = 0;
    ::curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    head_.status = static_cast<int>(status);
    return status < 200 || begin_body();
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  const auto value = trim(line.substr(colon + 1));
  const auto [field, fresh] = head_.headers.try_emplace(to_lower(line.substr(0, colon)), value);
  if (!fresh) field->second.append(", ").append(value);
  return true;
}

bool Exchange::begin_body() {
  begun_ = true;
  if (is_redirect(head_)) return true;
  const auto encoding = to_lower(head_.header("content-encoding"));
  const bool wanted = head_.status == 200 || head_.status == 206;
  if (wanted && !encoding.empty() && encoding != "identity") {
    return refuse(
        {Errc::unsupported,
         fmt::format("the origin sends the body as {} although it was asked for as it is", encoding),
         "unexpected_encoding"});
  }
  auto taken = sink_.begin(head_);
  return taken || refuse(std::move(taken.error()));
}

std::size_t Exchange::on_body(char* text, std::size_t, std::size_t size, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  if (!exchange.sink_.ready() || exchange.debt(std::chrono::steady_clock::now()).count() > 0) {
    exchange.paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  return exchange.take_body({text, size}) ? size : CURL_WRITEFUNC_ERROR;
}

bool Exchange::take_body(std::span<const char> bytes) {
  if (is_redirect(head_)) {
    ignored_ += bytes.size();
    enough_ = ignored_ > kIgnoredBody;
    return !enough_;
  }
  const auto size = static_cast<std::int64_t>(bytes.size());
  recent_ += size;
  if (limits_.on_received) limits_.on_received(bytes.size());
  const auto now = std::chrono::steady_clock::now();
  for (const auto& bucket : buckets_) bucket->take(size, now);
  if (host_rate_) host_rate_->take(size, now);
  auto taken = sink_.data(bytes);
  return taken || refuse(std::move(taken.error()));
}

curl_socket_t Exchange::on_open(void* self, curlsocktype, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(self);
  const auto ip = read_address(address->addr);
  auto judged = ip ? exchange.judge_dialled(*ip, port_of(address->addr))
                   : fail(Errc::forbidden, "only IPv4 and IPv6 can be dialled", "address_not_allowed");
  if (!judged) {
    exchange.refuse(std::move(judged.error()));
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CURLcode Exchange::on_tls(CURL*, void* context, void* self) {
  ::SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<Exchange*>(self)->trust_.get());
  return CURLE_OK;
}

int Exchange::on_connected(void* self, char* peer, char* local, int peer_port, int) {
  auto& exchange = *static_cast<Exchange*>(self);
  auto judged =
      exchange.judge_peer(peer ? peer : "", static_cast<std::uint16_t>(peer_port), local ? local : "");
  if (judged) return CURL_PREREQFUNC_OK;
  exchange.refuse(std::move(judged.error()));
  return CURL_PREREQFUNC_ABORT;
}

Result<void> Exchange::judge_dialled(const asio::ip::address& address, std::uint16_t port) const {
  if (!proxy_) return policy_.judge_address(address, port);
  if (address == asio::ip::address_v4::loopback() && port == proxy_->port) return {};
  return fail(Errc::forbidden, "only the proxy of the job may be dialled", "address_not_allowed");
}

// getpeername() and getsockname(), as curl asked them when the connection stood.
Result<void> Exchange::judge_peer(std::string_view peer, std::uint16_t port, std::string_view local) const {
  boost::system::error_code error, no_local;
  const auto address = asio::ip::make_address(peer, error);
  const auto own = asio::ip::make_address(local, no_local);
  if (error || no_local) return fail(Errc::forbidden, "the peer's address is unknown", "address_not_allowed");
  return proxy_ ? judge_dialled(address, port) : policy_.judge_peer(address, port, own);
}

}  // namespace trawl::transfer::detail
