#include "api/idempotent.h"

#include <algorithm>

#include "base/sha256.h"

namespace trawl::api {
namespace {

constexpr std::size_t kLongestKey = 255;

bool well_formed(std::string_view key) {
  return !key.empty() && key.size() <= kLongestKey &&
         std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; });
}

std::string fingerprint_of(const http::Request& request) {
  return sha256_hex(request.method + ' ' + request.path + '\n' + request.body);
}

http::Response answer_again(const jobs::StoredAnswer& stored) {
  http::Response response;
  response.status = stored.status;
  response.headers.set("Content-Type", "application/json");
  if (!stored.location.empty()) response.headers.set("Location", stored.location);
  response.headers.set("Idempotent-Replayed", "true");
  response.body = stored.body;
  return response;
}

jobs::StoredAnswer stored_form(const http::Response& response) {
  return {response.status, std::string(response.headers.find("Location").value_or("")),
          std::get<std::string>(response.body)};
}

}  // namespace

Task<http::Response> Idempotent::run(const http::Request& request, std::string tenant, const Work& work) {
  const auto header = request.headers.find("Idempotency-Key");
  if (!header)
    co_return co_await work([](db::Transaction&, const http::Response&) { return Result<void>(); });
  if (!well_formed(*header)) {
    co_return http::error_response(request, 400, "invalid_idempotency_key",
                                   "Idempotency-Key must be 1 to 255 visible ASCII characters");
  }
  const jobs::IdempotencyKey key{std::move(tenant), std::string(*header), fingerprint_of(request)};
  const auto ticket = store_.begin(key);
  if (!ticket) {
    http::Response busy = http::error_response(request, 409, "idempotency_in_flight",
                                               "a request with this Idempotency-Key is being worked on");
    busy.headers.set("Retry-After", "1");
    co_return busy;
  }
  if (auto known = co_await replay(request, key)) co_return std::move(*known);
  bool raced = false;
  http::Response response = co_await work([&](db::Transaction& transaction, const http::Response& answer) {
    auto recorded = store_.record(transaction, key, stored_form(answer));
    raced = !recorded && recorded.error().reason == "idempotency_raced";
    return recorded;
  });
  if (raced) {
    if (auto known = co_await replay(request, key)) co_return std::move(*known);
  }
  co_return response;
}

Task<std::optional<http::Response>> Idempotent::replay(const http::Request& request,
                                                       jobs::IdempotencyKey key) {
  const auto found = co_await store_.find(std::move(key));
  if (!found && found.error().reason == "idempotency_key_reused")
    co_return http::error_response(request, 422, found.error().reason, found.error().message);
  if (!found) co_return http::error_response(request, found.error());
  if (!*found) co_return std::nullopt;
  co_return answer_again(**found);
}

}  // namespace trawl::api
