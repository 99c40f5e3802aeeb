#pragma once

#include "api/views.h"
#include "http/router.h"
#include "storage/scrub.h"

namespace trawl::api {

// What is known of damage to stored files, for operators.
class IntegrityRoutes {
 public:
  IntegrityRoutes(storage::Scrub& scrub, const Clock& clock, const ViewContext& context)
      : scrub_(scrub), clock_(clock), context_(context) {}
  void add_to(http::Router& router);

 private:
  // GET /api/v1/storage/integrity
  [[nodiscard]] Task<http::Response> show(http::Request request);
  // POST /api/v1/storage/integrity
  [[nodiscard]] Task<http::Response> ask(http::Request request);
  [[nodiscard]] Task<http::Response> answer(http::Request request, int status);

  storage::Scrub& scrub_;
  const Clock& clock_;
  const ViewContext context_;
};

}  // namespace trawl::api
