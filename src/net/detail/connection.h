#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "async/task.h"
#include "base/result.h"
#include "net/detail/pass.h"
#include "net/detail/relay.h"
#include "net/detail/watchdog.h"
#include "net/egress_proxy.h"

namespace trawl::net::detail {

// What all connections of a proxy share.
struct ProxyContext {
  const EgressPolicy& policy;
  EgressProxy::Options options;
  TokenBook tokens;
  EgressProxy::Traffic traffic;  // Of all jobs.
  std::uint16_t own_port = 0;
};

// One client of the proxy and the origin it talks to. A client keeps one origin connection, which
// the next request uses again if it goes to the same place.
class Connection {
 public:
  Connection(asio::ip::tcp::socket client, ProxyContext& context);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves requests until either side is done.
  [[nodiscard]] Task<void> run();
  // Closes both sockets; run() returns soon after.
  void abort();

 private:
  enum class Exchange { keep_open, close, no_answer };

  [[nodiscard]] Task<bool> serve_one();
  [[nodiscard]] Task<void> refuse(Error error);
  [[nodiscard]] Result<void> admit(const http::fields& fields);
  enum class Place { anywhere, service };
  [[nodiscard]] Task<Result<void>> connect(std::string host, std::uint16_t port,
                                           Place place = Place::anywhere);
  [[nodiscard]] Task<Result<void>> connect_to_service(std::string host, std::uint16_t port);
  [[nodiscard]] Task<Result<void>> connect_directly(std::string host, std::uint16_t port);
  [[nodiscard]] Task<Result<void>> connect_through(const Upstream& upstream, std::string host,
                                                   std::uint16_t port);
  [[nodiscard]] Flow to_origin();
  [[nodiscard]] Flow from_origin();
  [[nodiscard]] Pace pace() const;
  [[nodiscard]] Task<void> tunnel(std::string target);
  [[nodiscard]] Task<bool> forward(RequestParser& request, Url url);
  [[nodiscard]] Task<Exchange> exchange(RequestParser& request, const Url& url);
  [[nodiscard]] Task<RelayErrors> send_request(RequestParser& request, const Url& url);
  [[nodiscard]] Task<bool> read_answer_head(std::optional<ResponseParser>& response, bool is_head);
  [[nodiscard]] Task<void> drain_client();
  void on_idle();
  void close_origin();
  void reset_client();
  std::span<char> buffer(std::vector<char>& storage);

  ProxyContext& context_;
  asio::ip::tcp::socket client_;
  asio::ip::tcp::socket origin_;
  std::string origin_name_;  // "host:port" `origin_` is connected to.
  boost::beast::flat_buffer from_client_;
  boost::beast::flat_buffer from_origin_;
  std::vector<char> upload_buffer_;  // Allocated when first needed.
  std::vector<char> download_buffer_;
  std::shared_ptr<JobAccount> account_;
  Watchdog watchdog_;
  bool aborted_ = false;
  bool awaiting_answer_ = false;
  bool answer_late_ = false;
};

}  // namespace trawl::net::detail
