#include "http/message.h"

#include "base/clock.h"
#include "base/text.h"
#include "http/detail/field_value.h"

namespace trawl::http {
namespace {

json::value detail_of(const std::string& message, const std::vector<Problem>& problems) {
  if (problems.empty()) return json::value(message);
  json::array out;
  for (const Problem& problem : problems) {
    json::array loc{"body"};
    for (const auto& part : problem.loc) loc.emplace_back(to_valid_utf8(part));
    out.push_back({{"loc", std::move(loc)},
                   {"msg", to_valid_utf8(problem.msg)},
                   {"type", to_valid_utf8(problem.type)}});
  }
  return out;
}

}  // namespace

void Headers::set(std::string name, std::string value) {
  for (auto& [known, old] : fields_) {
    if (!detail::same_token(known, name)) continue;
    old = std::move(value);
    return;
  }
  fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::append(std::string name, std::string value) {
  for (auto& [known, old] : fields_) {
    if (!detail::same_token(known, name)) continue;
    old += (detail::same_token(name, "Cookie") ? "; " : ", ") + value;
    return;
  }
  fields_.emplace_back(std::move(name), std::move(value));
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [known, value] : fields_) {
    if (detail::same_token(known, name)) return value;
  }
  return std::nullopt;
}

const std::string& Request::path_param(std::string_view name) const {
  static const std::string none;
  const auto found = path_params.find(name);
  return found == path_params.end() ? none : found->second;
}

std::optional<std::string> Request::query_param(std::string_view name) const {
  for (const std::string_view pair : split(query, '&')) {
    const auto equals = pair.find('=');
    if (percent_decode(pair.substr(0, equals), true) != name) continue;
    return equals == std::string_view::npos ? std::string() : percent_decode(pair.substr(equals + 1), true);
  }
  return std::nullopt;
}

Response json_response(int status, const json::value& body) {
  Response response{.status = status, .headers = {}, .body = json::serialize(body)};
  response.headers.set("Content-Type", "application/json");
  return response;
}

Response error_response(const Request& request, int status, std::string_view code, std::string_view message,
                        const std::vector<Problem>& problems) {
  const std::string text = to_valid_utf8(message);
  return json_response(status, {{"error", text},
                                {"error_code", to_valid_utf8(code)},
                                {"message", text},
                                {"detail", detail_of(text, problems)},
                                {"details", json::object()},
                                {"status_code", status},
                                {"request_id", to_valid_utf8(request.id)},
                                {"timestamp", to_iso8601(SystemClock().now())}});
}

Response error_response(const Request& request, const Error& error) {
  return error_response(request, http_status(error.code), error.reason, error.message);
}

}  // namespace trawl::http
