#include "webhooks/outbox.h"

#include <fmt/format.h>

namespace trawl::webhooks {
namespace {

std::string text(const json::object& document, std::string_view name) {
  const json::value* found = document.if_contains(name);
  return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

Result<json::object> document(const std::string& stored) {
  auto value = parse_json(stored);
  if (!value || !value->is_object()) return fail(Errc::internal, "a job's document is damaged");
  return std::move(value->get_object());
}

}  // namespace

Result<std::optional<Listener>> listener_of(db::Transaction& transaction, const JobId& job) {
  using Found = std::optional<Listener>;
  const auto rows = transaction.query(
      "SELECT tenant, epoch, request, result, progress, error_message, error_code FROM jobs WHERE id = $1",
      {job.str()});
  if (!rows) return fail(rows.error());
  if (rows->empty()) return Found();
  const db::Row& row = rows->front();
  if (!row.text(2).contains("\"webhook_url\":\"")) return Found();
  auto request = document(row.text(2));
  auto result = document(row.text(3));
  auto progress = document(row.text(4));
  if (!request || !result || !progress) return fail(Errc::internal, "a job's document is damaged");
  Listener listener{.tenant = row.text(0),
                    .webhook_url = text(*request, "webhook_url"),
                    .first_attempt = row.integer(1) == 1};
  if (listener.webhook_url.empty()) return Found();
  listener.subject = {.job = job,
                      .url = text(*request, "url"),
                      .at = {},
                      .result = std::move(*result),
                      .progress = std::move(*progress),
                      .error = row.maybe_text(5),
                      .error_code = row.maybe_text(6),
                      .artifacts = {}};
  return Found(std::move(listener));
}

Result<void> Outbox::record(db::Transaction& transaction, const events::Event& event) {
  if (event.type != events::Type::status) return {};
  const std::string state = text(event.data, "state");
  // Most events are of no interest to anybody, and to know that costs no statement.
  const json::value* epoch = event.data.if_contains("epoch");
  const bool again = state == "running" && epoch && epoch->is_int64() && epoch->get_int64() > 1;
  const bool phase_only = state == "running" && text(event.data, "phase") != "extracting";
  if (!event_of(state, true) || again || phase_only) return {};
  auto listener = listener_of(transaction, event.job);
  if (!listener) return fail(std::move(listener.error()));
  if (!*listener) return {};
  const auto name = event_of(state, (*listener)->first_attempt);
  if (!name) return {};

  Subject& subject = (*listener)->subject;
  subject.at = event.at;
  if (state == "completed") {
    auto artifacts = storage::select_artifacts(transaction, "job_id = $1", {event.job.str()});
    if (!artifacts) return fail(std::move(artifacts.error()));
    subject.artifacts = std::move(*artifacts);
  }
  const auto added = store_.add(transaction, {.job = event.job,
                                              .tenant = (*listener)->tenant,
                                              .event = std::string(*name),
                                              .url = (*listener)->webhook_url,
                                              .body = payload(*name, subject, public_url_)});
  if (!added) return fail(added.error());
  return {};
}

}  // namespace trawl::webhooks
