#include "api/file_routes.h"

#include "http/static_file.h"

namespace trawl::api {

void FileRoutes::add_to(http::Router& router) {
  for (const char* pattern : {"/files/{path...}", "/api/v1/files/{path...}"}) {
    router.add("GET", pattern, [this](http::Request request) { return serve(std::move(request)); });
  }
}

// The path is only ever looked up among artifacts, never opened, so no spelling of it can leave the
// storage.
Task<http::Response> FileRoutes::serve(http::Request request) {
  const auto artifact = co_await storage_.by_path(request.path_param("path"));
  if (!artifact) co_return http::error_response(request, artifact.error());
  const http::FileFacts facts{.path = storage_.file_of(*artifact),
                              .size = static_cast<std::uint64_t>(artifact->size),
                              .etag = artifact->sha256,
                              .modified = artifact->created_at,
                              .mime_type = artifact->mime_type,
                              .download_name = artifact->path.substr(artifact->path.rfind('/') + 1),
                              .inline_view = request.query_param("inline") == "1"};
  co_return http::serve_file(request, facts);
}

}  // namespace trawl::api
