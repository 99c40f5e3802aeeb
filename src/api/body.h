#pragma once

#include "base/json.h"
#include "http/message.h"

namespace trawl::api {

// 422 with every problem at its place.
[[nodiscard]] inline http::Response problem_response(const http::Request& request,
                                                     const std::vector<Problem>& problems) {
  std::string summary;
  for (const Problem& problem : problems) {
    std::string where;
    for (const std::string& part : problem.loc) where += (where.empty() ? "" : ".") + part;
    summary += (summary.empty() ? "" : "; ") + (where.empty() ? "the body" : where) + " " + problem.msg;
  }
  return http::error_response(request, 422, "validation_error", summary, problems);
}

// Reads a request's JSON body into a described struct. The failure is the answer to send: 400 for
// what is not JSON, 422 with every problem for what is not valid.
template <class T>
[[nodiscard]] std::expected<T, http::Response> read_body(const http::Request& request,
                                                         DecodeOptions options) {
  auto document = parse_json(request.body.empty() ? "{}" : request.body);
  if (!document) return std::unexpected(http::error_response(request, document.error()));
  auto value = decode<T>(*document, options);
  if (value) return std::move(*value);
  return std::unexpected(problem_response(request, value.error()));
}

}  // namespace trawl::api
