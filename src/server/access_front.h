#pragma once

#include <filesystem>
#include <string>

#include "access/file_links.h"
#include "access/identity.h"
#include "access/key_store.h"
#include "access/redis_rate_limiter.h"
#include "api/bootstrap_routes.h"
#include "api/cookie_routes.h"
#include "api/file_routes.h"
#include "api/job_feed.h"
#include "api/key_guard.h"
#include "api/key_routes.h"
#include "api/ticket_routes.h"
#include "api/usage_routes.h"
#include "server/app.h"
#include "server/config.h"

namespace trawl::server {

// Who may come in through the HTTP front: keys, the guard before all routes, and the first key of a new
// server. The app must be open.
class AccessFront {
 public:
  AccessFront(App& app, const Config& config, asio::any_io_executor executor);

  // Finds out whether there is a key; makes the bootstrap token when there is none.
  [[nodiscard]] Task<Result<void>> open();
  [[nodiscard]] Task<void> close();

  [[nodiscard]] http::Gatekeeper& gatekeeper() { return guard_; }
  void add_to(http::Router& router);

  // What the routes of files have to know. Once it is open.
  [[nodiscard]] api::FileRoutes::Access file_access();

  [[nodiscard]] std::int64_t requests_per_minute() { return guard_.requests_per_minute(); }
  // Whether who opened a stream may still have it. The answer may be a second old.
  [[nodiscard]] api::StillAdmitted still_admitted();

  // How to make the first key, for people; empty when there is one or none is needed.
  [[nodiscard]] std::string instructions(std::string_view url) const;

 private:
  std::filesystem::path token_file_;
  std::string link_secret_;
  std::string token_;  // Empty: there is a key, or none is needed.
  App& app_;
  const Config config_;
  access::KeyStore keys_;
  access::Tickets tickets_;
  access::Identities identities_;
  access::MemoryRateLimiter limiter_;
  std::optional<access::RedisRateLimiter> shared_limiter_;
  api::KeyGuard guard_;
  access::LinkStore links_;
  access::Quotas quotas_;
  api::KeyRoutes key_routes_;
  api::TicketRoutes ticket_routes_;
  api::UsageRoutes usage_routes_;
  api::CookieRoutes cookie_routes_;
  std::optional<api::BootstrapRoutes> bootstrap_;
  Scope scope_;

  [[nodiscard]] access::RateLimiter& limiter();
  [[nodiscard]] Task<void> watch_cookies();
};

}  // namespace trawl::server
