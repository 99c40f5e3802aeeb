#include "api/bootstrap_routes.h"

#include "access/key_text.h"
#include "api/body.h"
#include "api/key_views.h"
#include "api/queries.h"
#include "base/log.h"

namespace trawl::api {
namespace {

// Body of POST /bootstrap/admin-key.
struct FirstKeyBody {
  std::string name = "admin";
  std::string description;
};
BOOST_DESCRIBE_STRUCT(FirstKeyBody, (), (name, description))

struct BootstrapStatusView {
  bool bootstrap_required = false, bootstrap_available = false;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(BootstrapStatusView, (), (bootstrap_required, bootstrap_available, message))

}  // namespace
}  // namespace trawl::api

template <>
struct trawl::Rules<trawl::api::FirstKeyBody> {
  static constexpr FieldRule fields[] = {{.name = "name",
                                          .doc = "What people call the key.",
                                          .min = 1,
                                          .max = 100,
                                          .check = api::check_key_name},
                                         {.name = "description", .doc = "What it is for.", .max = 500}};
};
template <>
struct trawl::Example<trawl::api::FirstKeyBody> {
  static json::value make() { return {{"name", "admin"}}; }
};
template <>
struct trawl::Example<trawl::api::BootstrapStatusView> {
  static json::value make() { return encode(api::BootstrapStatusView{true, true, "no API key exists yet"}); }
};

namespace trawl::api {

BootstrapRoutes::BootstrapRoutes(access::KeyStore& keys, const Clock& clock, std::string_view token,
                                 std::function<void()> on_made)
    : keys_(keys),
      clock_(clock),
      token_digest_(token.empty() ? "" : access::secret_digest(token)),
      on_made_(std::move(on_made)) {}

void BootstrapRoutes::add_to(http::Router& router) {
  router.add({.method = "GET",
              .path = "/api/v1/bootstrap/status",
              .scope = access::kPublic,
              .summary = "Whether the first API key is still to be made.",
              .contract = shows<BootstrapStatusView>()},
             [this](http::Request request) { return status(std::move(request)); });
  router.add({.method = "POST",
              .path = "/api/v1/bootstrap/admin-key",
              .scope = access::kPublic,
              .summary = "Make the first API key, with the one-time token as X-Setup-Token.",
              .contract = {.body = http::Body::json<FirstKeyBody>(),
                           .query = http::Query::none(),
                           .answers = http::Answers::json<IssuedKeyView>(201),
                           .refusals = http::Refusals::of(
                               {{401, "bootstrap_token_invalid"}, {409, "already_bootstrapped"}}),
                           .headers = {kSetupTokenHeader}}},
             [this](http::Request request) { return create(std::move(request)); });
}

Task<http::Response> BootstrapRoutes::status(http::Request request) {
  const auto empty = co_await keys_.empty();
  if (!empty) co_return http::error_response(request, empty.error());
  co_return http::json_response(
      200, encode(BootstrapStatusView{
               .bootstrap_required = *empty,
               .bootstrap_available = *empty && !token_digest_.empty(),
               .message = *empty ? "no API key exists yet" : "the first API key was made already"}));
}

Task<http::Response> BootstrapRoutes::create(http::Request request) {
  const auto token = request.headers.find("X-Setup-Token");
  if (!token || !access::same_digest(access::secret_digest(*token), token_digest_)) {
    log_warn("a bootstrap token was refused", {{"client_ip", request.remote}, {"request_id", request.id}});
    co_return http::error_response(request, 401, "bootstrap_token_invalid",
                                   token ? "the bootstrap token is not valid"
                                         : "the bootstrap token is needed: send it as X-Setup-Token");
  }
  const auto body = read_body<FirstKeyBody>(request, {});
  if (!body) co_return std::move(body.error());
  const auto issued = co_await keys_.create_first(
      {.name = body->name, .level = access::Level::full_access, .description = body->description});
  if (!issued) co_return http::error_response(request, issued.error());
  on_made_();
  log_info("the first API key was made", {{"key_id", issued->key.id}, {"request_id", request.id}});
  co_return http::json_response(201, encode(view_of(*issued, clock_.now())));
}

}  // namespace trawl::api
