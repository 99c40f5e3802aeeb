#pragma once

#include "http/router.h"
#include "storage/storage.h"

namespace trawl::api {

// GET and HEAD of stored files, by their names in the API.
class FileRoutes {
 public:
  explicit FileRoutes(storage::DirectoryStorage& storage) : storage_(storage) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> serve(http::Request request);

  storage::DirectoryStorage& storage_;
};

}  // namespace trawl::api
