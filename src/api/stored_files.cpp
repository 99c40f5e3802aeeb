#include <charconv>

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/file_routes.h"
#include "api/ownership.h"
#include "api/paging.h"
#include "api/stored_views.h"
#include "base/log.h"
#include "http/multipart.h"

namespace trawl::api {
namespace {

// What a client calls a file, as the name of one here: its last segment, without what names may not have.
std::string plain_name(std::string_view given) {
  std::string out;
  for (const char c : given.substr(given.find_last_of("/\\") + 1)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '_' : c;
  }
  out = truncate_utf8(to_valid_utf8(trim(out)), 200);
  return out.empty() || out.starts_with('.') ? "file" + out : out;
}

// Refusals that have a status of their own in HTTP.
http::Response refusal(const http::Request& request, const Error& error) {
  const int status = error.code == Errc::timeout && error.reason == "timeout" ? 408
                     : error.reason == "unsupported_type"                     ? 415
                     : error.reason == "unsafe_content"                       ? 415
                     : error.reason == "validation_error"                     ? 422
                                                                              : http_status(error.code);
  return http::error_response(request, status, error.reason, error.message);
}

// The Content-Length, which the server has found to be one; 0 without it.
std::int64_t announced_length(const http::Request& request) {
  const auto text = request.headers.find("Content-Length").value_or("");
  std::int64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  return error == std::errc::result_out_of_range ? INT64_MAX : length;
}

// Bytes of any kind.
json::object binary(Schemas&) {
  return {{"type", "string"}, {"contentMediaType", "application/octet-stream"}};
}

json::object form(Schemas& schemas) {
  return {{"type", "object"}, {"properties", {{"file", binary(schemas)}}}, {"required", json::array{"file"}}};
}

http::Contract uploading() {
  return {.body = http::Body::other("multipart/form-data", form).or_other("*/*", binary),
          .query = http::Query::of<UploadQuery>(),
          .answers = http::Answers::json<StoredView>(201),
          .refusals = http::Refusals::of({{400, http::kAnyCode},
                                          {415, "unsupported_type"},
                                          {415, "unsafe_content"},
                                          {429, "quota_exceeded"},
                                          {503, http::kAnyCode},
                                          {507, "disk_full"}})};
}

http::Contract listing() {
  return {.body = http::Body::none(),
          .query = http::Query::of<PrefixQuery, PagingQuery>(),
          .answers = http::Answers::json<StoredListView>(),
          .refusals = http::Refusals::of({{422, "validation_error"}})};
}

// The description of a file, or one that lies in a folder called info.
http::Contract showing() {
  http::Contract contract = serving<LinkQuery>();
  contract.query = http::Query::none();
  contract.answers = std::move(contract.answers).or_json<StoredView>(200);
  return contract;
}

}  // namespace

StoredView stored_view(const storage::Artifact& artifact, const ViewContext& context) {
  StoredView view{artifact_view(artifact, context)};
  view.name = view.filename;
  view.path = view.file_path;
  view.size = view.size_bytes;
  view.job_id = artifact.job.str();
  view.created = view.modified = artifact.created_at;
  view.checked = artifact.checked_at;
  view.integrity = artifact.integrity;
  return view;
}

void FileRoutes::add_stored(http::Router& router) {
  const auto add = [&](http::Endpoint endpoint, Task<http::Response> (FileRoutes::*member)(http::Request)) {
    router.add(std::move(endpoint),
               [this, member](http::Request request) { return (this->*member)(std::move(request)); });
  };
  for (const std::string base : {"/files", "/api/v1/files"}) {
    add({.method = "GET",
         .path = base,
         .scope = access::kFilesRead,
         .summary = "List stored files, newest first.",
         .contract = listing()},
        &FileRoutes::list);
    add({.method = "GET",
         .path = base + "/info/{path...}",
         .scope = access::kFilesRead,
         .summary = "Show what is known of a stored file.",
         .contract = showing()},
        &FileRoutes::info);
    add({.method = "GET",
         .path = base + "/download",
         .scope = access::kFilesRead,
         .summary = "Fetch the stored file that filename names (older path).",
         .contract = serving<FilenameQuery>()},
        &FileRoutes::serve_named);
    add({.method = "DELETE",
         .path = base + "/{path...}",
         .scope = access::kFilesWrite,
         .summary = "Delete a stored file.",
         .contract = shows_one<DeletedView>()},
        &FileRoutes::remove);
    for (const std::string& path : {base, base + "/upload"}) {
      add({.method = "POST",
           .path = path,
           .scope = access::kFilesWrite,
           .summary = "Store a file: a form with it, or the file itself as the body.",
           .contract = uploading(),
           .streamed = true},
          &FileRoutes::upload);
    }
  }
}

Task<http::Response> FileRoutes::list(http::Request request) {
  const auto paging = read_paging(request);
  if (!paging) co_return http::error_response(request, 422, paging.error().reason, paging.error().message);
  std::string prefix = request.query_param("path").value_or("");
  prefix.erase(
      0, prefix.find_first_not_of('/') == std::string::npos ? prefix.size() : prefix.find_first_not_of('/'));
  const auto page = co_await storage_.list({.owner = visible_owner(request.caller),
                                            .prefix = to_valid_utf8(prefix),
                                            .offset = paging->offset,
                                            .limit = paging->size});
  if (!page) co_return http::error_response(request, page.error());
  StoredListView view{page_numbers(*paging, page->total)};
  for (const storage::Artifact& artifact : page->artifacts)
    view.files.push_back(stored_view(artifact, context_));
  view.total = page->total;
  view.total_bytes = page->bytes;
  co_return http::json_response(200, encode(view));
}

Task<http::Response> FileRoutes::info(http::Request request) {
  const std::string path = request.path_param("path");
  const auto artifact = co_await visible(request, path);
  if (artifact) co_return http::json_response(200, encode(stored_view(*artifact, context_)));
  if (artifact.error().code != Errc::not_found) co_return http::error_response(request, artifact.error());
  // A file may lie in a folder of this name.
  if (auto inside = co_await visible(request, "info/" + path); inside) {
    request.path_params["path"] = "info/" + path;
    co_return co_await serve(std::move(request));
  }
  co_return http::error_response(request, artifact.error());
}

Task<http::Response> FileRoutes::serve_named(http::Request request) {
  request.path_params["path"] = request.query_param("filename").value_or("download");
  co_return co_await serve(std::move(request));
}

Task<http::Response> FileRoutes::remove(http::Request request) {
  const auto artifact = co_await visible(request, request.path_param("path"));
  if (!artifact) co_return http::error_response(request, artifact.error());
  if (const auto removed = co_await storage_.remove(artifact->id); !removed)
    co_return http::error_response(request, removed.error());
  log_info("a stored file was deleted",
           {{"path", artifact->path}, {"by", request.caller.key}, {"request_id", request.id}});
  co_return http::json_response(200, encode(DeletedView{.id = artifact->id.str(),
                                                        .resource_type = "file",
                                                        .status = "deleted",
                                                        .message = "the file is deleted",
                                                        .timestamp = clock_.now()}));
}

Task<http::Response> FileRoutes::upload(http::Request request) {
  // What says beforehand that it is too large is refused before it is sent.
  constexpr std::int64_t kFormAround = 64 << 10;
  if (announced_length(request) > uploads_.limits().max_bytes + kFormAround)
    co_return http::error_response(
        request, 413, "too_large",
        fmt::format("a file may have {} bytes at most", uploads_.limits().max_bytes));
  const std::string named =
      request.query_param("path").value_or(request.query_param("filename").value_or(""));
  const auto stored = co_await receive(request, named);
  if (!stored) co_return refusal(request, stored.error());
  log_info("a file was uploaded",
           {{"path", stored->path}, {"by", request.caller.key}, {"request_id", request.id}});
  http::Response response = http::json_response(201, encode(stored_view(*stored, context_)));
  response.headers.set("Location",
                       fmt::format("{}/files/{}", context_.public_url, percent_encode(stored->path, "/")));
  co_return response;
}

Task<Result<storage::Artifact>> FileRoutes::receive(const http::Request& request, std::string name) {
  const auto boundary = http::form_boundary(request.headers.find("Content-Type").value_or(""));
  const std::string owner = request.caller.owner;
  if (!boundary) {
    if (name.empty())
      co_return fail(Errc::invalid, "name the file by ?path= or ?filename=, or send a form with it",
                     "validation_error");
    const std::string path = request.query_param("path") ? name : "uploads/" + plain_name(name);
    co_return co_await uploads_.receive(owner, path, [stream = request.stream] { return stream->next(); });
  }
  http::MultipartReader form(request.stream, *boundary);
  std::optional<Result<storage::Artifact>> stored;
  while (true) {
    const auto part = co_await form.next_part();
    if (!part) {
      // A file that arrived whole in a form that did not is not kept.
      if (stored && *stored) (void)co_await storage_.remove((*stored)->id);
      co_return fail(part.error());
    }
    if (!*part) break;
    if (!(*part)->filename || stored) continue;
    const std::string path = request.query_param("path")
                                 ? name
                                 : "uploads/" + plain_name(name.empty() ? *(*part)->filename : name);
    stored = co_await uploads_.receive(owner, path, [&form] { return form.next_data(); });
    if (!*stored) break;
  }
  if (!stored) co_return fail(Errc::invalid, "the form has no file", "validation_error");
  co_return std::move(*stored);
}

}  // namespace trawl::api
