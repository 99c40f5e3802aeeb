#include "api/queue_routes.h"

#include <algorithm>

#include "access/scopes.h"
#include "api/paging.h"
#include "api/queries.h"
#include "api/queue_views.h"

namespace trawl::api {
namespace {

constexpr std::int64_t kBuriedAtOnce = 100;

RunView view_of(const jobs::Held& held) {
  return {held.job.str(), held.tenant, held.origin,     held.phase,
          held.state,     held.epoch,  held.claimed_at, held.lease_until};
}

DeadLetterView view_of(const jobs::DeadLetter& letter) {
  const jobs::Job& job = letter.job;
  DeadLetterView view{.id = job.id.str(),
                      .job_id = job.id.str(),
                      .owner = job.tenant,
                      .url = {},
                      .reason = job.error_code.value_or(""),
                      .error = job.error_message.value_or(""),
                      .failures = job.failures,
                      .crashes = job.crashes,
                      .lost_workers = job.losses,
                      .replay_count = job.replays,
                      .created_at = job.created_at,
                      .died_at = job.completed_at};
  if (const json::value* url = job.request.if_contains("url"); url && url->is_string())
    view.url = url->as_string();
  for (const jobs::AttemptRecord& attempt : letter.history) {
    view.history.push_back({attempt.epoch, attempt.worker, attempt.started_at, attempt.ended_at,
                            attempt.state, attempt.error_code, attempt.error_message});
  }
  if (!letter.history.empty()) {
    view.first_failed_at = letter.history.front().ended_at;
    view.last_failed_at = letter.history.back().ended_at;
  }
  return view;
}

http::Contract listing() {
  return {.body = http::Body::none(),
          .query = http::Query::of<PagingQuery>(),
          .answers = http::Answers::json<DeadLettersView>(),
          .refusals = http::Refusals::of({{422, "validation_error"}})};
}

}  // namespace

void QueueRoutes::add_to(http::Router& router) {
  using access::kSystemManage, access::kSystemRead;
  const auto add = [&](http::Endpoint endpoint, Task<http::Response> (QueueRoutes::*member)(http::Request)) {
    router.add(std::move(endpoint),
               [this, member](http::Request request) { return (this->*member)(std::move(request)); });
  };
  for (const char* path : {"/api/v1/admin/queue", "/queue/status"}) {
    add({.method = "GET",
         .path = path,
         .scope = kSystemRead,
         .summary = "Count what waits and runs.",
         .contract = shows<QueueView>()},
        &QueueRoutes::queue);
  }
  for (const char* path : {"/api/v1/admin/workers", "/active-downloads"}) {
    add({.method = "GET",
         .path = path,
         .scope = kSystemRead,
         .summary = "List workers and what they run.",
         .contract = shows<WorkersView>()},
        &QueueRoutes::workers);
  }
  add({.method = "GET",
       .path = "/api/v1/admin/breakers",
       .scope = kSystemRead,
       .summary = "List the hosts that are left alone for a while.",
       .contract = shows<BreakersView>()},
      &QueueRoutes::breakers);
  add({.method = "GET",
       .path = "/api/v1/admin/dlq",
       .scope = kSystemRead,
       .summary = "List the dead letters.",
       .contract = listing()},
      &QueueRoutes::dead_letters);
  add({.method = "DELETE",
       .path = "/api/v1/admin/dlq",
       .scope = kSystemManage,
       .summary = "Delete every dead letter.",
       .contract = shows<AllBuriedView>()},
      &QueueRoutes::bury_all);
  add({.method = "DELETE",
       .path = "/api/v1/admin/dlq/{id}",
       .scope = kSystemManage,
       .summary = "Delete a dead letter.",
       .contract = shows<BuriedView>(http::Refusals::of({{404, "not_found"}, {409, http::kAnyCode}}))},
      &QueueRoutes::bury);
  add({.method = "POST",
       .path = "/api/v1/admin/dlq/{id}/replay",
       .scope = kSystemManage,
       .summary = "Queue a dead letter again.",
       .contract = shows<ReplayView>(http::Refusals::of({{404, "not_found"}, {409, http::kAnyCode}}))},
      &QueueRoutes::replay);
}

Task<http::Response> QueueRoutes::queue(http::Request request) {
  const auto counts = co_await downloads_.counts();
  if (!counts) co_return http::error_response(request, counts.error());
  const auto owners = co_await overview_.tenants();
  if (!owners) co_return http::error_response(request, owners.error());
  QueueView view{.max_queued = facts_.max_queued};
  for (const auto& [state, name] : EnumText<jobs::State>::names) {
    const auto found = counts->find(state);
    const std::int64_t count = found == counts->end() ? 0 : found->second;
    view.states[std::string(name)] = count;
    view.total_jobs += count;
    if (jobs::api_status(state) == "queued") view.queue_length += count;
    if (jobs::api_status(state) == "running") view.active_jobs += count;
  }
  for (const jobs::TenantQueue& owner : *owners)
    view.owners.push_back({owner.tenant, owner.waiting, owner.running, owner.paused, owner.oldest});
  co_return http::json_response(200, encode(view));
}

Task<http::Response> QueueRoutes::workers(http::Request request) {
  const auto held = co_await overview_.held();
  if (!held) co_return http::error_response(request, held.error());
  std::map<std::string, WorkerView> workers;
  workers[facts_.worker] = {.worker = facts_.worker,
                            .here = true,
                            .slots = static_cast<std::int64_t>(facts_.slots),
                            .draining = facts_.draining()};
  for (const jobs::Held& run : *held) {
    workers[run.worker].worker = run.worker;
    workers[run.worker].running.push_back(view_of(run));
  }
  WorkersView view{.workers = {}, .running = static_cast<std::int64_t>(held->size())};
  for (auto& [name, worker] : workers) view.workers.push_back(std::move(worker));
  co_return http::json_response(200, encode(view));
}

Task<http::Response> QueueRoutes::breakers(http::Request request) {
  const auto known = co_await overview_.breakers();
  if (!known) co_return http::error_response(request, known.error());
  BreakersView view;
  for (const jobs::Breaker& breaker : *known) {
    view.breakers.push_back({breaker.origin, breaker.state(clock_.now()), breaker.failures,
                             breaker.window.calls, breaker.window.failures, breaker.open_until, breaker.probe,
                             breaker.last_error, breaker.updated_at});
  }
  co_return http::json_response(200, encode(view));
}

Task<http::Response> QueueRoutes::dead_letters(http::Request request) {
  const auto paging = read_paging(request);
  if (!paging) co_return http::error_response(request, 422, paging.error().reason, paging.error().message);
  const auto found = co_await downloads_.dead_letters(paging->offset, paging->size);
  if (!found) co_return http::error_response(request, found.error());
  DeadLettersView view{.dead_letters = {},
                       .total = found->total,
                       .page = paging->offset / paging->size + 1,
                       .page_size = paging->size};
  for (const jobs::DeadLetter& letter : found->letters) view.dead_letters.push_back(view_of(letter));
  co_return http::json_response(200, encode(view));
}

Task<http::Response> QueueRoutes::replay(http::Request request) {
  const auto id = JobId::parse(request.path_param("id"));
  if (!id) co_return http::error_response(request, 404, "not_found", id.error().message);
  const auto state = co_await downloads_.replay(*id);
  if (!state) co_return http::error_response(request, state.error());
  co_return http::json_response(
      200, encode(ReplayView{id->str(), id->str(), std::string(jobs::api_status(*state))}));
}

Task<http::Response> QueueRoutes::bury(http::Request request) {
  const auto id = JobId::parse(request.path_param("id"));
  if (!id) co_return http::error_response(request, 404, "not_found", id.error().message);
  const auto buried = co_await downloads_.bury(*id);
  if (!buried) co_return http::error_response(request, buried.error());
  co_return http::json_response(200, encode(BuriedView{.id = id->str()}));
}

Task<http::Response> QueueRoutes::bury_all(http::Request request) {
  std::int64_t deleted = 0;
  while (true) {
    const auto found = co_await downloads_.dead_letters(0, kBuriedAtOnce);
    if (!found) co_return http::error_response(request, found.error());
    const std::int64_t before = deleted;
    for (const jobs::DeadLetter& letter : found->letters)
      deleted += (co_await downloads_.bury(letter.job.id)).has_value() ? 1 : 0;
    if (deleted == before) break;
  }
  co_return http::json_response(200, encode(AllBuriedView{.deleted = deleted}));
}

}  // namespace trawl::api
