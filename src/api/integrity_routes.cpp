#include "api/integrity_routes.h"

#include "access/scopes.h"
#include "api/integrity_views.h"
#include "base/log.h"

namespace trawl::api {
namespace {

double days(Millis time) {
  return std::chrono::duration<double, std::chrono::days::period>(time).count();
}

}  // namespace

void IntegrityRoutes::add_to(http::Router& router) {
  http::Contract asking = shows<IntegrityView>(http::Refusals::of({{409, "scrub_off"}}));
  asking.answers = http::Answers::json<IntegrityView>(202);
  router.add({.method = "GET",
              .path = "/api/v1/storage/integrity",
              .scope = access::kSystemRead,
              .summary = "What reading stored files again has shown, and the damaged ones.",
              .contract = {.body = http::Body::none(),
                           .query = http::Query::of<PagingQuery>(),
                           .answers = http::Answers::json<IntegrityView>(),
                           .refusals = http::Refusals::of({{422, "validation_error"}})}},
             [this](http::Request request) { return show(std::move(request)); });
  router.add({.method = "POST",
              .path = "/api/v1/storage/integrity",
              .scope = access::kSystemManage,
              .summary = "Read every stored file again, beginning now.",
              .contract = std::move(asking)},
             [this](http::Request request) { return ask(std::move(request)); });
}

Task<http::Response> IntegrityRoutes::show(http::Request request) {
  return answer(std::move(request), 200);
}

Task<http::Response> IntegrityRoutes::ask(http::Request request) {
  if (const auto asked = co_await scrub_.ask(); !asked)
    co_return http::error_response(request, asked.error());
  log_info("all stored files are to be checked", {{"by", request.caller.key}, {"request_id", request.id}});
  co_return co_await answer(std::move(request), 202);
}

Task<http::Response> IntegrityRoutes::answer(http::Request request, int status) {
  const auto paging = read_paging(request);
  if (!paging) co_return http::error_response(request, 422, paging.error().reason, paging.error().message);
  const auto report = co_await scrub_.report(paging->offset, paging->size);
  if (!report) co_return http::error_response(request, report.error());
  const auto count = [&](storage::Integrity which) {
    const auto found = report->damaged.find(which);
    return found == report->damaged.end() ? 0 : found->second;
  };
  using enum storage::Integrity;
  IntegrityView view;
  view.corrupt = count(corrupt);
  view.missing = count(missing);
  view.unreadable = count(unreadable);
  static_cast<PageNumbers&>(view) = page_numbers(*paging, view.corrupt + view.missing + view.unreadable);
  view.rate_bytes_per_second = scrub_.options().rate;
  view.interval_days = days(scrub_.options().interval);
  view.reader = report->reader;
  view.total_files = report->files;
  view.total_bytes = report->bytes;
  view.due_files = report->due_files;
  view.due_bytes = report->due_bytes;
  view.oldest_check = report->oldest_check;
  for (const storage::Artifact& artifact : report->artifacts)
    view.files.push_back(stored_view(artifact, context_));
  view.timestamp = clock_.now();
  co_return http::json_response(status, encode(view));
}

}  // namespace trawl::api
