#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <curl/curl.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/result.h"
#include "net/egress.h"
#include "net/url.h"
#include "transfer/detail/proxy_route.h"
#include "transfer/detail/trust.h"
#include "transfer/http_client.h"
#include "transfer/token_bucket.h"

namespace trawl::transfer::detail {

// What one hop asks.
struct Hop {
  net::Url url;
  std::vector<asio::ip::address> addresses;  // Judged.
  std::map<std::string, std::string> headers;
  std::shared_ptr<TokenBucket> host_rate;  // May be null.
};

// One GET as curl sees it: an easy handle, used for one hop after the other, and its callbacks.
//
// Set up on the loop; while a hop is under way it belongs to the transfer thread.
class Exchange {
 public:
  Exchange(const net::EgressPolicy& policy, const ClientLimits& limits, Trust trust, const Request& request,
           Sink& sink);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // False when there is no memory for it.
  [[nodiscard]] bool prepare(const Hop& hop);
  void limit_by(std::shared_ptr<TokenBucket> bucket);
  [[nodiscard]] bool through_proxy() const { return proxy_.has_value(); }

  // Asks for the end from any thread; the transfer thread acts on it.
  void cancel() { cancelled_ = true; }
  [[nodiscard]] bool cancelled() const { return cancelled_; }

  // On the transfer thread.
  using Time = std::chrono::steady_clock::time_point;
  [[nodiscard]] CURL* easy() const { return easy_; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] bool ready() const { return sink_.ready(); }
  [[nodiscard]] std::chrono::steady_clock::duration debt(Time now) const;
  void resume();
  // True when too little has come for too long. Called about every second.
  [[nodiscard]] bool is_quiet(Time now);

  // After a hop: what came of it. A redirect is a Head for which is_redirect() holds.
  [[nodiscard]] Result<Head> outcome(CURLcode code) const;

  std::move_only_function<void(CURLcode)> on_done;

 private:
  static std::size_t on_header(char* text, std::size_t, std::size_t size, void* self);
  static std::size_t on_body(char* text, std::size_t, std::size_t size, void* self);
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);
  static CURLcode on_tls(CURL* easy, void* context, void* self);
  static int on_connected(void* self, char* peer, char* local, int peer_port, int local_port);

  bool set_options();
  bool set_proxy();
  bool take_header(std::string_view line);
  bool begin_body();
  bool take_body(std::span<const char> bytes);
  bool refuse(Error error);
  [[nodiscard]] Result<void> judge_dialled(const asio::ip::address& address, std::uint16_t port) const;
  [[nodiscard]] Result<void> judge_peer(std::string_view peer, std::uint16_t port,
                                        std::string_view local) const;

  const net::EgressPolicy& policy_;
  const ClientLimits& limits_;
  const Trust trust_;
  Sink& sink_;
  std::optional<media::ByteRange> range_;
  std::optional<std::string> if_range_;
  std::optional<std::string> post_;
  bool own_connection_;
  std::optional<ProxyRoute> proxy_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  curl_slist* resolve_ = nullptr;
  std::string url_;
  std::vector<std::shared_ptr<TokenBucket>> buckets_;
  std::shared_ptr<TokenBucket> host_rate_;  // Of this hop.
  std::atomic<bool> cancelled_ = false;

  Head head_;
  bool begun_ = false;
  bool enough_ = false;  // The rest of a redirect's body is not worth reading.
  std::size_t ignored_ = 0;
  std::optional<Error> error_;
  bool paused_ = false;
  std::int64_t recent_ = 0;
  std::optional<Time> checked_;
  std::chrono::steady_clock::duration quiet_{};
};

}  // namespace trawl::transfer::detail
