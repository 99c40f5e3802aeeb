#include "net/egress_proxy.h"

#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include "async/scope.h"
#include "base/id.h"
#include "base/log.h"
#include "net/detail/connection.h"

namespace trawl::net {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using detail::Connection;
using detail::JobAccount;
using detail::ProxyContext;

constexpr std::chrono::milliseconds kAcceptPause{50};

class JobPass final : public EgressProxy::Pass {
 public:
  JobPass(std::shared_ptr<ProxyContext> context, EgressProxy::Terms terms)
      : context_(std::move(context)),
        account_(std::make_shared<JobAccount>(std::move(terms), context_->options.on_limit)),
        token_(context_->tokens.issue(account_)),
        port_(context_->own_port) {
    if (context_->options.service) account_->service_name = random_hex(16) + ".invalid";
  }
  ~JobPass() override {
    account_->terms.on_refusal = nullptr;
    context_->tokens.revoke(token_);
    account_->close();
  }
  JobPass(const JobPass&) = delete;
  JobPass& operator=(const JobPass&) = delete;

  std::string proxy_url() const override { return fmt::format("http://{}:x@127.0.0.1:{}", token_, port_); }
  std::string service_url() const override {
    return account_->service_name.empty() ? "" : "http://" + account_->service_name;
  }
  std::optional<Error> refusal() const override { return account_->refusal; }
  std::optional<Error> upstream_failure() const override { return account_->upstream_failure; }
  EgressProxy::Traffic traffic() const override { return account_->traffic; }

 private:
  std::shared_ptr<ProxyContext> context_;
  std::shared_ptr<JobAccount> account_;
  std::string token_;
  std::uint16_t port_;
};

class LoopbackProxy final : public EgressProxy {
 public:
  LoopbackProxy(const asio::any_io_executor& executor, EgressPolicy& policy, const Options& options)
      : policy_(policy),
        context_(std::make_shared<ProxyContext>(policy, options)),
        acceptor_(executor),
        scope_(executor) {}

  Task<Result<void>> start() override {
    const tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    error_code error;
    acceptor_.open(any.protocol(), error);
    if (!error) acceptor_.bind(any, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) context_->own_port = acceptor_.local_endpoint(error).port();
    if (error) {
      co_return fail(Errc::unavailable,
                     fmt::format("the egress proxy cannot listen on loopback: {}", error.message()));
    }
    policy_.close_own_port(context_->own_port);
    scope_.spawn("egress proxy", accept());
    co_return Result<void>();
  }

  Task<void> stop() override {
    error_code ignored;
    acceptor_.close(ignored);
    co_await scope_.close();
  }

  Traffic traffic() const override { return context_->traffic; }

  std::unique_ptr<Pass> admit(Terms terms) override {
    return std::make_unique<JobPass>(context_, std::move(terms));
  }

 private:
  Task<void> accept() {
    for (;;) {
      auto [error, client] = co_await acceptor_.async_accept(as_result);
      if (!acceptor_.is_open()) co_return;
      if (error) {
        log_warn("the egress proxy cannot accept", {{"error", error.message()}});
        co_await sleep_for(kAcceptPause);
        continue;
      }
      // The accepting task itself is one of them.
      if (scope_.size() > context_->options.max_connections) continue;
      client.set_option(tcp::no_delay(true), error);
      scope_.spawn("egress connection",
                   serve(std::make_unique<Connection>(std::move(client), *context_), context_));
    }
  }

  static Task<void> serve(std::unique_ptr<Connection> connection, std::shared_ptr<ProxyContext>) {
    co_await connection->run();
  }

  EgressPolicy& policy_;
  std::shared_ptr<ProxyContext> context_;
  tcp::acceptor acceptor_;
  Scope scope_;
};

}  // namespace

std::unique_ptr<EgressProxy> make_egress_proxy(asio::any_io_executor executor, EgressPolicy& policy,
                                               EgressProxy::Options options) {
  return std::make_unique<LoopbackProxy>(executor, policy, options);
}

}  // namespace trawl::net
