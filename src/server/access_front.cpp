#include "server/access_front.h"

#include <fmt/format.h>

#include "base/log.h"
#include "server/browser_cookies.h"
#include "server/engine_options.h"
#include "server/limit_rules.h"
#include "server/secrets.h"

namespace trawl::server {
namespace {

using namespace std::chrono_literals;

std::filesystem::path file_in(const Config& config, const char* name) {
  return std::filesystem::absolute(config.storage.dir) / name;
}

std::chrono::hours days(int count) {
  return std::chrono::hours(24 * count);
}

api::CookieRoutes::Options cookie_options(const Config& config, BlockingPool& pool) {
  return {.browsers = config.cookies.browsers,
          .warning = days(config.cookies.expiry_warning_days),
          .rotation = days(config.cookies.rotation_days),
          .extract = [engine = engine_options(config), &pool](std::string browser, std::string profile)
              -> Task<Result<std::vector<access::BrowserCookie>>> {
            co_return co_await pool.run([&] { return browser_cookies(engine, browser, profile); });
          }};
}

}  // namespace

AccessFront::AccessFront(App& app, const Config& config, asio::any_io_executor executor)
    : token_file_(file_in(config, "bootstrap-token")),
      app_(app),
      config_(config),
      keys_(app.database(), app.clock(), executor),
      tickets_(app.database(), app.clock()),
      identities_(config.auth.mode, config.auth.api_key, keys_, tickets_),
      limiter_([] { return access::Nanos(std::chrono::steady_clock::now().time_since_epoch()); }),
      guard_(identities_, limiter(), app.clock(),
             {.header = config.auth.header,
              .origins = config.cors.origins,
              .limits = limit_rules(config.limits),
              .in_flight = static_cast<std::size_t>(config.limits.in_flight)}),
      links_(app.database(), app.clock()),
      quotas_(app.database()),
      key_routes_(keys_, app.clock()),
      ticket_routes_(tickets_),
      usage_routes_(quotas_, keys_, app.database(), app.clock()),
      cookie_routes_(app.cookies(), app.clock(), cookie_options(config, app.files())),
      scope_(executor) {}

// Called while the members are made, for the guard.
access::RateLimiter& AccessFront::limiter() {
  if (config_.redis.url.empty()) return limiter_;
  return shared_limiter_.emplace(redis::parse_url(config_.redis.url).value(), limiter_);
}

Task<Result<void>> AccessFront::open() {
  const auto empty = co_await keys_.empty();
  if (!empty) co_return fail(empty.error());
  const bool needed = config_.auth.mode != access::Mode::off && config_.auth.api_key.empty();
  if (*empty && !config_.auth.bootstrap_token.empty()) {
    token_ = config_.auth.bootstrap_token;
  } else if (*empty && needed) {
    auto kept = keep_secret(token_file_);
    if (!kept) co_return fail(kept.error());
    token_ = std::move(*kept);
  }
  bootstrap_.emplace(keys_, app_.clock(), token_, [file = token_file_] {
    std::error_code ignored;  // The token is worth nothing any more, whether its file goes or not.
    std::filesystem::remove(file, ignored);
  });

  link_secret_ = config_.links.secret;
  if (link_secret_.empty()) {
    auto kept = keep_secret(file_in(config_, "link-secret"));
    if (!kept) co_return fail(kept.error());
    link_secret_ = std::move(*kept);
  }

  const auto rotated = co_await app_.cookies().rotate();
  if (!rotated) co_return fail(rotated.error());
  if (*rotated > 0) log_info("stored cookies are encrypted with the newest key now", {{"sets", *rotated}});
  keys_.start();
  scope_.spawn("watch the expiry of cookies", watch_cookies());
  co_return Result<void>();
}

Task<void> AccessFront::close() {
  co_await scope_.close();
  co_await keys_.stop();
}

Task<void> AccessFront::watch_cookies() {
  while (true) {
    const auto sets = co_await app_.cookies().list(std::nullopt);
    if (!sets) log_warn("cannot look for expiring cookies", {{"error", sets.error().message}});
    const SystemTime now = app_.clock().now();
    for (const access::CookieSet& set : sets.value_or(std::vector<access::CookieSet>())) {
      const char* what = set.expired(now)                                                  ? "have expired"
                         : set.ends_within(days(config_.cookies.expiry_warning_days), now) ? "expire soon"
                         : set.is_due(days(config_.cookies.rotation_days), now) ? "are due to be stored anew"
                                                                                : nullptr;
      if (what)
        log_warn(fmt::format("stored cookies {}", what),
                 {{"cookies_id", set.id.str()}, {"owner", set.owner}, {"domains", set.domains}});
    }
    co_await sleep_for(24h);
  }
}

void AccessFront::add_to(http::Router& router) {
  key_routes_.add_to(router);
  ticket_routes_.add_to(router);
  usage_routes_.add_to(router);
  cookie_routes_.add_to(router);
  bootstrap_->add_to(router);
}

api::FileRoutes::Access AccessFront::file_access() {
  return {.keys = keys_,
          .links = links_,
          .signer = access::LinkSigner(link_secret_),
          .configured_key = std::string(access::kConfiguredKey)};
}

api::StillAdmitted AccessFront::still_admitted() {
  using Checked = std::map<std::string, std::chrono::steady_clock::time_point, std::less<>>;
  return [this, checked = std::make_shared<Checked>()](http::Caller caller) -> Task<bool> {
    if (caller.key.empty() || caller.key == access::kConfiguredKey) co_return true;
    const auto now = std::chrono::steady_clock::now();
    if (const auto known = checked->find(caller.key); known != checked->end() && now - known->second < 1s)
      co_return true;
    std::erase_if(*checked, [&](const auto& entry) { return now - entry.second >= 1s; });
    const auto key = co_await keys_.usable(caller.key);
    if (!key) co_return key.error().code != Errc::unauthorized;
    if (caller.sees_all && !access::grants(key->level, access::kEveryone)) co_return false;
    (*checked)[caller.key] = now;
    co_return true;
  };
}

std::string AccessFront::instructions(std::string_view url) const {
  if (token_.empty()) return {};
  const std::string token = config_.auth.bootstrap_token.empty()
                                ? fmt::format("$(cat '{}')", token_file_.string())
                                : "the value of auth.bootstrap_token";
  return fmt::format(
      "no API key exists yet: this makes the first one, once, and shows it\n"
      "  curl -X POST {}/api/v1/bootstrap/admin-key -H \"X-Setup-Token: {}\"\n"
      "or set auth.api_key, or auth.mode=off where only you can reach this port (docs/access.md)",
      url, token);
}

}  // namespace trawl::server
