#include "net/resolve.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

#include "async/event.h"

namespace trawl::net {
namespace {

using Addresses = std::vector<asio::ip::address>;

constexpr std::size_t kThreads = 8;

Result<Addresses> dns_failed(const std::string& host, const char* why) {
  return fail(Errc::unavailable, fmt::format("cannot resolve {}: {}", host, why), "dns_failed");
}

asio::ip::address read_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    return asio::ip::address_v4(ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return asio::ip::address_v6(bytes, v6.sin6_scope_id);
}

// Blocks. Which of the addresses comes first is the C library's choice (RFC 6724).
Result<Addresses> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    return dns_failed(host, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  Addresses out;
  for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    const auto address = read_address(*entry->ai_addr);
    if (std::ranges::find(out, address) == out.end()) out.push_back(address);
  }
  if (out.empty()) return dns_failed(host, "the name has no addresses");
  return out;
}

// One question, shared by the coroutine that waits and the thread that asks: either may be the
// last to let go of it. Only `abandoned` is touched by both.
struct Lookup {
  Lookup(asio::any_io_executor executor, std::string name)
      : host(std::move(name)), answered(std::move(executor)) {}

  const std::string host;
  std::atomic<bool> abandoned = false;
  std::optional<Result<Addresses>> answer;
  Event answered;
};

// The resolver threads of an io_context. Asio's own resolver has a single one.
class LookupThreads final : public asio::execution_context::service {
 public:
  using key_type = LookupThreads;
  static inline asio::execution_context::id id;

  explicit LookupThreads(asio::execution_context& context) : service(context), threads_(kThreads) {}

  void start(const asio::any_io_executor& executor, std::shared_ptr<Lookup> lookup) {
    asio::post(threads_, [executor, lookup = std::move(lookup)]() mutable {
      if (lookup->abandoned) return;
      auto answer = look_up(lookup->host);
      asio::post(executor, [lookup = std::move(lookup), answer = std::move(answer)]() mutable {
        lookup->answer = std::move(answer);
        lookup->answered.notify_all();
      });
    });
  }

 private:
  void shutdown() override {
    threads_.stop();
    threads_.join();
  }

  asio::thread_pool threads_;
};

Task<Result<Addresses>> look_up_within(std::string host, std::chrono::steady_clock::duration limit) {
  const auto executor = co_await asio::this_coro::executor;
  auto& context = asio::query(executor, asio::execution::context);
  const auto lookup = std::make_shared<Lookup>(executor, host);
  asio::use_service<LookupThreads>(context).start(executor, lookup);
  co_await lookup->answered.wait_for(limit);
  lookup->abandoned = true;
  if (!lookup->answer) {
    co_return fail(Errc::timeout, fmt::format("the name servers did not answer in time for {}", host),
                   "dns_timeout");
  }
  co_return std::move(*lookup->answer);
}

}  // namespace

Task<Result<Addresses>> resolve(std::string host, std::chrono::steady_clock::duration limit) {
  boost::system::error_code not_literal;
  const auto literal = asio::ip::make_address(host, not_literal);
  if (!not_literal) co_return Addresses{literal};
  co_return co_await look_up_within(std::move(host), limit);
}

Task<Result<Addresses>> resolve_judged(const EgressPolicy& policy, std::string host, std::uint16_t port,
                                       std::chrono::steady_clock::duration limit) {
  auto addresses = co_await resolve(host, limit);
  if (!addresses) co_return fail(std::move(addresses.error()));
  for (const auto& address : *addresses) {
    if (auto judged = policy.judge_address(address, port); !judged) {
      auto& error = judged.error();
      if (address.to_string() != host) error.message = fmt::format("{}: {}", host, error.message);
      co_return fail(std::move(error));
    }
  }
  co_return std::move(*addresses);
}

}  // namespace trawl::net
