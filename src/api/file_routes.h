#pragma once

#include "access/file_links.h"
#include "access/key_store.h"
#include "api/views.h"
#include "downloads/downloads.h"
#include "downloads/uploads.h"
#include "http/router.h"
#include "storage/storage.h"

namespace trawl::api {

// Stored files, by their names in the API, for those whose downloads they came from or who brought them: GET
// and HEAD, also for whoever has a signed link; lists, uploads and deletions (stored_files.cpp); and those
// links.
class FileRoutes {
 public:
  struct Access {
    access::KeyStore& keys;
    access::LinkStore& links;
    access::LinkSigner signer;
    std::string configured_key;  // The id under which the key of the configuration makes links.
  };
  FileRoutes(storage::ArtifactStore& storage, downloads::Uploads& uploads, const Clock& clock,
             ViewContext context, Access access)
      : storage_(storage),
        uploads_(uploads),
        clock_(clock),
        context_(std::move(context)),
        access_(std::move(access)) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> serve(http::Request request);
  Task<http::Response> serve_named(http::Request request);
  Task<http::Response> list(http::Request request);
  Task<http::Response> info(http::Request request);
  Task<http::Response> remove(http::Request request);
  Task<http::Response> upload(http::Request request);
  // The first file of a form, or the body itself. `name`: what the request calls it, where a form does not.
  Task<Result<storage::Artifact>> receive(const http::Request& request, std::string name);
  void add_stored(http::Router& router);
  Task<http::Response> make_link(http::Request request);
  Task<http::Response> list_links(http::Request request);
  Task<http::Response> revoke_link(http::Request request);

  Task<http::Response> from_elsewhere(const http::Request& request, storage::Artifact artifact,
                                      http::Response response);
  // The file of that path, if it exists for the caller; Errc::not_found otherwise.
  Task<Result<storage::Artifact>> visible(const http::Request& request, std::string path);
  // Whether the request's link opens `artifact`.
  Task<Result<void>> check_link(const http::Request& request, const storage::Artifact& artifact);

  storage::ArtifactStore& storage_;
  downloads::Uploads& uploads_;
  const Clock& clock_;
  ViewContext context_;
  Access access_;
};

}  // namespace trawl::api
