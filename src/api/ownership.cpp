#include "api/ownership.h"

#include <fmt/format.h>

namespace trawl::api {

Task<std::expected<downloads::Download, http::Response>> find_for(downloads::Downloads& downloads,
                                                                  const http::Request& request) {
  const auto nothing = [&] {
    const std::string message =
        fmt::format("there is no download {}", to_valid_utf8(request.path_param("id")));
    return std::unexpected(http::error_response(request, 404, "not_found", message));
  };
  const auto id = JobId::parse(request.path_param("id"));
  if (!id) co_return nothing();
  auto download = co_await downloads.find(*id);
  if (!download && download.error().code == Errc::not_found) co_return nothing();
  if (!download) co_return std::unexpected(http::error_response(request, download.error()));
  if (!request.caller.sees(download->job.tenant)) co_return nothing();
  co_return std::move(*download);
}

}  // namespace trawl::api
