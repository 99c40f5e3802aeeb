#include "api/batch_routes.h"

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/body.h"
#include "api/ownership.h"
#include "api/paging.h"
#include "api/preset_routes.h"
#include "api/queries.h"

namespace trawl::api {
namespace {

using namespace std::chrono_literals;

// The first project listed a playlist before it answered: its clients find the jobs in the answer to POST.
constexpr auto kListingPatience = 5s;
constexpr std::int64_t kMostChildren = 1000;

http::Response refusal(const http::Request& request, const Error& error) {
  if (error.code == Errc::invalid)
    return http::error_response(
        request, 422, error.reason, error.message,
        {{{error.reason == "invalid_url" ? "url" : "body"}, error.message, "value_error"}});
  http::Response response = http::error_response(request, error);
  if (retryable(error.code)) response.headers.set("Retry-After", error.code == Errc::no_space ? "60" : "5");
  return response;
}

// Why a listing that ended so is an error of the request, in the first project's words; nothing when
// there is something to download, or may be.
std::optional<http::Response> objection(const http::Request& request, const downloads::Batch& batch) {
  if (batch.expansion == downloads::Expansion::failed) {
    const std::string code = batch.error_code.value_or("extraction_failed");
    const int status = code == "not_a_playlist" ? 400 : code == "quota_exceeded" ? 429 : 422;
    return http::error_response(request, status, code,
                                batch.error_message.value_or("the playlist could not be listed"));
  }
  if (batch.expansion == downloads::Expansion::done && batch.counts.total() == 0 && batch.skipped == 0)
    return http::error_response(request, 400, "no_videos_match",
                                "No videos match the selection and the filters");
  return std::nullopt;
}

Result<PageRequest> read_children_page(const http::Request& request) {
  const auto page = read_number(request, "page", 1, 1, 1'000'000);
  if (!page) return fail(page.error());
  const auto size = read_number(request, "page_size", 100, 1, kMostChildren);
  if (!size) return fail(size.error());
  return PageRequest{.offset = (*page - 1) * *size, .size = *size};
}

// The page that was asked for, of all children there are.
downloads::Batches::Children page_of(const downloads::Batches::Children& all, const PageRequest& page) {
  downloads::Batches::Children out{all.batch, {}};
  for (auto i = page.offset; i < std::min<std::int64_t>(page.offset + page.size, std::ssize(all.downloads));
       ++i)
    out.downloads.push_back(all.downloads[static_cast<std::size_t>(i)]);
  return out;
}

http::Contract creation(int status, bool canonical) {
  using http::Body;
  return {.body = Body::json<downloads::BatchRequest>(canonical ? Body::Unknown::refused
                                                                : Body::Unknown::ignored),
          .query = http::Query::of<ChildrenQuery>(),
          .answers = http::Answers::json<BatchView>(status),
          .refusals = http::Refusals::of({{400, http::kAnyCode},
                                          {403, http::kAnyCode},
                                          {409, "idempotency_in_flight"},
                                          {413, http::kAnyCode},
                                          {422, http::kAnyCode},
                                          {429, http::kAnyCode},
                                          {503, http::kAnyCode},
                                          {507, http::kAnyCode}}),
          .headers = {kIdempotencyKeyHeader}};
}

http::Contract listing() {
  return {.body = http::Body::none(),
          .query = http::Query::of<SubscriptionQuery, PagingQuery>(),
          .answers = http::Answers::json<BatchListView>(),
          .refusals = http::Refusals::of({{422, "validation_error"}})};
}

// Of one batch, shown with a page of its downloads.
http::Contract showing() {
  return {
      .body = http::Body::none(),
      .query = http::Query::of<ChildrenQuery>(),
      .answers = http::Answers::json<BatchView>(),
      .refusals = http::Refusals::of({{404, "not_found"}, {409, http::kAnyCode}, {422, "validation_error"}})};
}

http::Contract cancellation() {
  return shows<BatchCancelView>(http::Refusals::of({{404, "not_found"}, {409, http::kAnyCode}}));
}

}  // namespace

void BatchRoutes::add_to(http::Router& router) {
  using downloads::BatchSource;
  const auto make = [&](const char* path, Way way) {
    router.add({.method = "POST",
                .path = path,
                .scope = access::kDownloadsWrite,
                .summary = "Create a batch.",
                .contract = creation(way.status, way.canonical),
                .limit = "batch"},
               [this, way](http::Request request) { return create(std::move(request), way); });
  };
  make("/api/v1/batches", {});
  make("/api/v1/batch/download", {202, false, BatchSource::urls});
  make("/api/v1/playlist/download", {201, false, BatchSource::playlist});
  make("/api/v1/channel/download", {201, false, BatchSource::channel});

  const auto on = [&](const char* method, const std::string& path, http::Contract contract,
                      Task<http::Response> (BatchRoutes::*member)(http::Request)) {
    const bool reads = std::string_view(method) == "GET";
    router.add({.method = method,
                .path = path,
                .scope = reads ? access::kDownloadsRead : access::kDownloadsWrite,
                .summary = reads ? "Show batches." : "Cancel, pause, resume or retry a batch.",
                .contract = std::move(contract)},
               [this, member](http::Request request) { return own(std::move(request), member); });
  };
  on("GET", "/api/v1/batches", listing(), &BatchRoutes::list);
  for (const std::string base : {"/api/v1/batches/{id}", "/api/v1/batch/{id}"}) {
    on("GET", base, showing(), &BatchRoutes::show);
    on("DELETE", base, cancellation(), &BatchRoutes::cancel);
    on("POST", base + "/pause", showing(), &BatchRoutes::pause);
    on("POST", base + "/resume", showing(), &BatchRoutes::resume);
    on("POST", base + "/retry", showing(), &BatchRoutes::retry);
  }
}

Task<http::Response> BatchRoutes::own(http::Request request,
                                      Task<http::Response> (BatchRoutes::*member)(http::Request)) {
  if (const std::string& id = request.path_param("id"); !id.empty() && !request.caller.sees_all) {
    const auto found = co_await batches_.find(id);
    if (!found || !request.caller.sees(found->tenant))
      co_return http::error_response(request, 404, "not_found", "there is no batch " + to_valid_utf8(id));
  }
  co_return co_await (this->*member)(std::move(request));
}

Task<http::Response> BatchRoutes::create(http::Request request, Way way) {
  const Idempotent::Work work = [&](Idempotent::Keep keep) -> Task<http::Response> {
    if (auto applied = co_await apply_preset(presets_, request); !applied)
      co_return std::move(applied.error());
    co_return co_await submit(request, way, keep);
  };
  co_return co_await idempotent_.run(request, request.caller.owner, work);
}

Task<http::Response> BatchRoutes::submit(const http::Request& request, Way way,
                                         const Idempotent::Keep& keep) {
  auto body = read_body<downloads::BatchRequest>(request, {.refuse_unknown = way.canonical});
  if (!body) co_return std::move(body.error());
  if (way.source) body->source = way.source;
  const auto page = read_children_page(request);
  if (!page) co_return http::error_response(request, 422, page.error().reason, page.error().message);

  http::Response response;
  // Made inside the transaction, so that what is stored for the Idempotency-Key is what is sent.
  const auto batch = co_await batches_.submit(
      std::move(*body), request.caller.owner,
      [&](db::Transaction& transaction, const downloads::Batches::Children& made) {
        response = answer_with(page_of(made, *page), *page, way.status);
        response.headers.set("Location",
                             fmt::format("{}/api/v1/batches/{}", context_.public_url, made.batch.id));
        return keep(transaction, response);
      });
  if (!batch) co_return refusal(request, batch.error());
  // With a key the answer that is on disk goes out: one that waited would be another.
  const bool patient = !way.canonical && way.source != downloads::BatchSource::urls;
  if (!patient || request.headers.find("Idempotency-Key")) co_return response;
  const auto listed = co_await batches_.await_expansion(batch->id, kListingPatience);
  if (!listed) co_return refusal(request, listed.error());
  if (auto wrong = objection(request, *listed)) {
    if (const auto removed = co_await batches_.remove(batch->id); !removed)
      co_return refusal(request, removed.error());
    co_return std::move(*wrong);
  }
  http::Response filled = co_await answer(request, way.status, batch->id);
  filled.headers.set("Location", fmt::format("{}/api/v1/batches/{}", context_.public_url, batch->id));
  co_return filled;
}

Task<http::Response> BatchRoutes::create_from_urls(http::Request request) {
  return create(std::move(request), {202, false, downloads::BatchSource::urls});
}

Task<http::Response> BatchRoutes::answer(const http::Request& request, int status, std::string id) {
  const auto page = read_children_page(request);
  if (!page) co_return http::error_response(request, 422, page.error().reason, page.error().message);
  const auto shown = co_await batches_.show(std::move(id), page->offset, page->size);
  if (!shown) co_return http::error_response(request, shown.error());
  co_return answer_with(*shown, *page, status);
}

http::Response BatchRoutes::answer_with(const downloads::Batches::Children& shown, const PageRequest& page,
                                        int status) const {
  BatchView view = view_of(shown.batch, clock_.now());
  view.jobs_page = page.offset / page.size + 1;
  view.jobs_page_size = page.size;
  for (const downloads::Download& download : shown.downloads)
    view.jobs.push_back(batch_job_view(download, context_));
  return http::json_response(status, encode(view));
}

Task<http::Response> BatchRoutes::show(http::Request request) {
  const auto found = co_await batches_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  co_return co_await answer(request, 200, found->id);
}

Task<http::Response> BatchRoutes::list(http::Request request) {
  const auto paging = read_paging(request);
  if (!paging) co_return http::error_response(request, 422, paging.error().reason, paging.error().message);
  const auto page = co_await batches_.list({.tenant = visible_owner(request.caller),
                                            .subscription = request.query_param("subscription_id"),
                                            .offset = paging->offset,
                                            .limit = paging->size});
  if (!page) co_return http::error_response(request, page.error());
  BatchListView view{page_numbers(*paging, page->total)};
  view.total = page->total;
  for (const downloads::Batch& batch : page->batches) view.batches.push_back(view_of(batch, clock_.now()));
  co_return http::json_response(200, encode(view));
}

Task<http::Response> BatchRoutes::cancel(http::Request request) {
  const auto found = co_await batches_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  const std::string id = found->id;
  const auto cancelled = co_await batches_.cancel(id);
  if (!cancelled) co_return http::error_response(request, cancelled.error());
  const auto batch = co_await batches_.find(id);
  const bool stopped = batch && downloads::batch_ended(*batch);
  co_return http::json_response(
      200, encode(BatchCancelView{id, id, id, stopped ? "cancelled" : "cancelling", *cancelled,
                                  stopped ? "the batch is cancelled" : "the batch is being stopped",
                                  clock_.now()}));
}

// One of the orders that answer with what became of the batch.
template <class Order>
Task<http::Response> BatchRoutes::order(http::Request request, Order order) {
  const auto found = co_await batches_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  const auto done = co_await (batches_.*order)(found->id);
  if (!done) co_return http::error_response(request, done.error());
  co_return co_await answer(request, 200, found->id);
}

Task<http::Response> BatchRoutes::pause(http::Request request) {
  return order(std::move(request), &downloads::Batches::pause);
}

Task<http::Response> BatchRoutes::resume(http::Request request) {
  return order(std::move(request), &downloads::Batches::resume);
}

Task<http::Response> BatchRoutes::retry(http::Request request) {
  return order(std::move(request), &downloads::Batches::retry);
}

}  // namespace trawl::api
