#include "api/download_routes.h"

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/batch_views.h"
#include "api/body.h"
#include "api/older_body.h"
#include "api/ownership.h"
#include "api/paging.h"
#include "api/preset_routes.h"
#include "api/queries.h"
#include "api/stored_views.h"

namespace trawl::api {
namespace {

using namespace std::chrono_literals;

// The API's status words as the states they stand for; nothing for an unknown word.
std::optional<std::vector<jobs::State>> states_of(std::string_view status) {
  std::vector<jobs::State> states;
  for (const auto& [state, name] : EnumText<jobs::State>::names) {
    if (jobs::api_status(state) == status) states.push_back(state);
  }
  return states.empty() ? std::nullopt : std::optional(states);
}

// Refusals that pass by themselves tell when to come back.
http::Response refusal(const http::Request& request, const Error& error) {
  if (error.reason == "validation_error")
    return http::error_response(request, 422, error.reason, error.message,
                                {{{}, error.message, "value_error"}});
  if (error.reason == "invalid_url") {
    return http::error_response(request, 422, error.reason, error.message,
                                {{{"url"}, error.message, "value_error"}});
  }
  http::Response response = http::error_response(request, error);
  if (retryable(error.code)) response.headers.set("Retry-After", error.code == Errc::no_space ? "60" : "5");
  return response;
}

// The request of a batch that a list of URLs stands for, bare or as `urls`; nothing for any other body.
std::optional<json::object> list_in(std::string_view body) {
  auto document = parse_json(body);
  if (!document) return std::nullopt;
  json::object out;
  if (document->is_array())
    out["urls"] = std::move(*document);
  else if (document->is_object() && document->get_object().contains("urls"))
    out = std::move(document->get_object());
  else
    return std::nullopt;
  if (auto workers = out.find("max_workers"); workers != out.end()) {
    out["concurrency"] = workers->value();
    out.erase("max_workers");
  }
  return out;
}

// A download, or what list_in() takes.
json::object schema_of_creation(Schemas& schemas) {
  constexpr auto kUse = Schemas::Use::input;
  json::object batch = schemas.of<downloads::BatchRequest>(kUse);
  batch["required"] = json::array{"urls"};
  const json::object urls{{"type", "array"}, {"items", {{"type", "string"}}}, {"minItems", 1}};
  return {{"anyOf", json::array{schemas.of<media::DownloadRequest>(kUse), std::move(batch), urls}}};
}

http::Contract creation(int status, bool canonical) {
  using http::Body;
  Body body = Body::json<media::DownloadRequest>(canonical ? Body::Unknown::refused : Body::Unknown::ignored);
  body.document.schema = schema_of_creation;
  return {.body = std::move(body),
          .query = http::Query::none(),
          .answers = http::Answers::json<DownloadView>(status).or_json<BatchView>(202),
          .refusals = http::Refusals::of({{400, "invalid_idempotency_key"},
                                          {403, http::kAnyCode},
                                          {409, "idempotency_in_flight"},
                                          {422, http::kAnyCode},
                                          {429, http::kAnyCode},
                                          {503, http::kAnyCode},
                                          {507, http::kAnyCode}}),
          .headers = {kIdempotencyKeyHeader}};
}

template <class View>
http::Contract listing() {
  return {.body = http::Body::none(),
          .query = http::Query::of<StatusQuery, PagingQuery, CursorQuery>(),
          .answers = http::Answers::json<View>(),
          .refusals = http::Refusals::of({{422, "validation_error"}})};
}

// Of one download, at once or when it has changed.
template <class View>
http::Contract waiting() {
  return {.body = http::Body::none(),
          .query = http::Query::of<WaitQuery>(),
          .answers = http::Answers::json<View>(),
          .refusals = http::Refusals::of({{404, "not_found"}, {422, "validation_error"}})};
}

http::Contract cancellation(int refused) {
  return {.body = http::Body::none(),
          .query = http::Query::of<PurgeQuery>(),
          .answers = http::Answers::json<CancelView>(),
          .refusals = http::Refusals::of({{404, "not_found"}, {refused, http::kAnyCode}})};
}

http::Contract reading_logs() {
  return {.body = http::Body::none(),
          .query = http::Query::of<LogsQuery>(),
          .answers = http::Answers::json<LogsView>().or_bytes(200, "text/plain",
                                                              "One line per entry, with `format=text`."),
          .refusals = http::Refusals::of({{404, "not_found"}, {422, "validation_error"}})};
}

}  // namespace

void DownloadRoutes::add_to(http::Router& router) {
  using access::kDownloadsRead, access::kDownloadsWrite;
  const auto creates = [&](const char* path, int status, bool canonical, const char* summary) {
    router.add({.method = "POST",
                .path = path,
                .scope = kDownloadsWrite,
                .summary = summary,
                .contract = creation(status, canonical),
                .limit = "download"},
               [this, status, canonical](http::Request request) {
                 return create(std::move(request), status, canonical);
               });
  };
  creates("/api/v1/downloads", 202, true, "Create a download.");
  creates("/api/v1/download", 201, false, "Create a download (older path, answers 201).");
  creates("/downloads", 202, false, "Create a download (older path).");
  creates("/jobs", 202, false, "Create a download (older path).");
  for (const char* path : {"/api/v1/downloads", "/downloads"}) {
    router.add({.method = "GET",
                .path = path,
                .scope = kDownloadsRead,
                .summary = "List downloads, newest first.",
                .contract = listing<ListView>()},
               [this](http::Request request) { return list(std::move(request)); });
  }
  router.add({.method = "GET",
              .path = "/api/v1/jobs",
              .scope = kDownloadsRead,
              .summary = "List the status of downloads, newest first (older path).",
              .contract = listing<JobsView>()},
             [this](http::Request request) { return list_jobs(std::move(request)); });
  router.add({.method = "GET",
              .path = "/api/v1/status/{id}",
              .scope = kDownloadsRead,
              .summary = "Show the status of a download (older path).",
              .contract = waiting<StatusView>()},
             [this](http::Request request) { return status(std::move(request)); });
  for (const auto& [base, refused] : {std::pair<std::string, int>{"/api/v1/downloads/{id}", 409},
                                      {"/api/v1/download/{id}", 409},
                                      {"/downloads/{id}", 400},
                                      {"/jobs/{id}", 400}}) {
    router.add({.method = "GET",
                .path = base,
                .scope = kDownloadsRead,
                .summary = "Show a download; with wait=60 when it changes.",
                .contract = waiting<DownloadView>()},
               [this](http::Request request) { return show(std::move(request)); });
    router.add({.method = "DELETE",
                .path = base,
                .scope = kDownloadsWrite,
                .summary = "Cancel a download; with purge=true delete one that has ended.",
                .contract = cancellation(refused)},
               [this, refused](http::Request request) { return cancel(std::move(request), refused); });
    for (const char* name : {"/files", "/results"}) {
      router.add({.method = "GET",
                  .path = base + name,
                  .scope = kDownloadsRead,
                  .summary = "List the files of a download.",
                  .contract = shows_one<FilesView>()},
                 [this](http::Request request) { return files(std::move(request)); });
    }
    router.add({.method = "GET",
                .path = base + "/logs",
                .scope = kDownloadsRead,
                .summary = "Read the log of a download.",
                .contract = reading_logs()},
               [this](http::Request request) { return logs(std::move(request)); });
  }
}

Task<http::Response> DownloadRoutes::create(http::Request request, int status, bool canonical) {
  if (auto list = list_in(request.body)) {
    const auto* urls = list->at("urls").if_array();
    if (!urls || urls->size() != 1) {
      request.body = json::serialize(*list);
      co_return co_await many_(std::move(request));
    }
    json::value only = urls->front();
    list->erase("urls");
    (*list)["url"] = std::move(only);
    list->erase("concurrency");
    request.body = json::serialize(*list);
  }
  const Idempotent::Work work = [&](Idempotent::Keep keep) -> Task<http::Response> {
    if (auto applied = co_await apply_preset(presets_, request); !applied)
      co_return std::move(applied.error());
    if (!canonical) request.body = with_newer_names(std::move(request.body));
    auto body = read_body<media::DownloadRequest>(request, {.refuse_unknown = canonical});
    if (!body) co_return std::move(body.error());
    co_return co_await submit(request, std::move(*body), status, keep);
  };
  co_return co_await idempotent_.run(request, request.caller.owner, work);
}

Task<http::Response> DownloadRoutes::submit(const http::Request& request, media::DownloadRequest wanted,
                                            int status, const Idempotent::Keep& keep) {
  http::Response response;
  // Made inside the transaction, so that what is stored for the Idempotency-Key is what is sent.
  const auto download = co_await downloads_.submit(
      std::move(wanted), request.caller.owner,
      [&](db::Transaction& transaction, const downloads::Download& added) {
        response = http::json_response(status, encode(view_of(added, context_)));
        response.headers.set("Location",
                             fmt::format("{}/api/v1/downloads/{}", context_.public_url, added.job.id.str()));
        return keep(transaction, response);
      });
  if (!download) co_return refusal(request, download.error());
  co_return response;
}

Task<http::Response> DownloadRoutes::show(http::Request request) {
  const auto download = co_await long_poll_.find(std::move(request));
  if (!download) co_return std::move(download.error());
  co_return http::json_response(200, encode(view_of(*download, context_)));
}

Task<http::Response> DownloadRoutes::status(http::Request request) {
  const auto download = co_await long_poll_.find(std::move(request));
  if (!download) co_return std::move(download.error());
  co_return http::json_response(200, encode(status_view(*download, context_)));
}

Task<DownloadRoutes::Listed> DownloadRoutes::read_page(http::Request request) {
  const auto paging = read_paging(request);
  if (!paging)
    co_return std::unexpected(
        http::error_response(request, 422, paging.error().reason, paging.error().message));
  jobs::JobStore::Filter filter{
      .states = {}, .tenant = visible_owner(request.caller), .offset = paging->offset, .limit = paging->size};
  if (const auto status = request.query_param("status")) {
    const auto states = states_of(*status == "processing" ? "running"
                                  : *status == "pending"  ? "queued"
                                                          : *status);
    if (!states) {
      co_return std::unexpected(http::error_response(
          request, 422, "validation_error",
          "status must be one of queued, running, paused, completed, failed, cancelled"));
    }
    filter.states = *states;
  }
  filter.batch = request.query_param("batch_id");
  if (const auto cursor = request.query_param("cursor"); cursor && !cursor->empty()) {
    const auto last = JobId::parse(*cursor);
    if (!last)
      co_return std::unexpected(http::error_response(
          request, 422, "validation_error", "cursor must be a next_cursor that was answered before"));
    filter.older_than = *last;
    filter.offset = 0;
  }
  auto page = co_await downloads_.list(std::move(filter));
  if (!page) co_return std::unexpected(http::error_response(request, page.error()));
  co_return Listed(std::in_place, std::move(*page), *paging);
}

Task<http::Response> DownloadRoutes::list(http::Request request) {
  const auto listed = co_await read_page(std::move(request));
  if (!listed) co_return listed.error();
  const auto& [page, paging] = *listed;
  ListView view{page_numbers(paging, page.total)};
  view.total = page.total;
  if (std::ssize(page.downloads) == paging.size) view.next_cursor = page.downloads.back().job.id.str();
  for (const downloads::Download& download : page.downloads)
    view.downloads.push_back(view_of(download, context_));
  co_return http::json_response(200, encode(view));
}

Task<http::Response> DownloadRoutes::list_jobs(http::Request request) {
  const auto listed = co_await read_page(std::move(request));
  if (!listed) co_return listed.error();
  const auto& [page, paging] = *listed;
  const PageNumbers numbers = page_numbers(paging, page.total);
  JobsView view{.jobs = {},
                .total = page.total,
                .page = numbers.page,
                .per_page = numbers.page_size,
                .total_pages = numbers.total_pages};
  for (const downloads::Download& download : page.downloads)
    view.jobs.push_back(status_view(download, context_));
  co_return http::json_response(200, encode(view));
}

Task<http::Response> DownloadRoutes::files(http::Request request) {
  const auto download = co_await find_for(downloads_, request);
  if (!download) co_return std::move(download.error());
  FilesView view;
  view.id = view.job_id = view.request_id = download->job.id.str();
  view.status = jobs::api_status(download->job.state);
  for (const storage::Artifact& artifact : download->artifacts)
    view.files.push_back(artifact_view(artifact, context_));
  view.results = view.files;
  view.total = std::ssize(view.files);
  co_return http::json_response(200, encode(view));
}

Task<http::Response> DownloadRoutes::cancel(http::Request request, int refused) {
  const auto download = co_await find_for(downloads_, request);
  if (!download) co_return std::move(download.error());
  const JobId id = download->job.id;
  if (request.query_param("purge") == "true") {
    const auto purged = co_await downloads_.purge(id);
    if (purged)
      co_return http::json_response(
          200, encode(CancelView{id.str(), id.str(), id.str(), "deleted", 0,
                                 "the download and its files are deleted", clock_.now()}));
    if (purged.error().reason != "not_final") co_return http::error_response(request, purged.error());
  }
  const auto state = co_await downloads_.cancel(id, 900ms);
  if (!state && state.error().code == Errc::conflict)
    co_return http::error_response(request, refused, state.error().reason, state.error().message);
  if (!state) co_return http::error_response(request, state.error());
  const bool stopped = *state == jobs::State::cancelled;
  co_return http::json_response(
      200, encode(CancelView{id.str(), id.str(), id.str(), stopped ? "cancelled" : "cancelling", 1,
                             stopped ? "the download is cancelled" : "the download is being stopped",
                             clock_.now()}));
}

Task<http::Response> DownloadRoutes::logs(http::Request request) {
  const auto download = co_await find_for(downloads_, request);
  if (!download) co_return std::move(download.error());
  const JobId id = download->job.id;
  const auto level = parse_enum<LogLevel>(request.query_param("level").value_or("DEBUG"));
  if (!level)
    co_return http::error_response(request, 422, "validation_error",
                                   "level must be one of DEBUG, INFO, WARN, ERROR");
  const auto tail = read_number(request, "tail", 1000, 1, 10'000);
  const auto offset = read_number(request, "offset", 0, 0, 1'000'000);
  for (const auto& number : {tail, offset}) {
    if (!number) co_return http::error_response(request, 422, number.error().reason, number.error().message);
  }
  const auto page = co_await downloads_.logs(id, *level, *tail, *offset);
  if (!page) co_return http::error_response(request, page.error());

  if (request.query_param("format") == "text") {
    http::Response response;
    std::string text;
    for (const events::Event& event : page->lines) {
      const LogLine line = log_line(event);
      text += fmt::format("{} {:5} {}\n", to_iso8601(line.timestamp), line.level, line.message);
    }
    response.headers.set("Content-Type", "text/plain; charset=utf-8");
    response.body = std::move(text);
    co_return response;
  }
  LogsView view{
      .request_id = id.str(), .job_id = id.str(), .logs = {}, .log_level = std::string(to_text(*level))};
  for (const events::Event& event : page->lines) view.logs.push_back(log_line(event));
  view.total_lines = view.total_logs = view.total_count = page->total;
  view.truncated = static_cast<std::int64_t>(view.logs.size()) < page->total;
  co_return http::json_response(200, encode(view));
}

}  // namespace trawl::api
