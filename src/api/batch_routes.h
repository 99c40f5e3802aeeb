#pragma once

#include "api/batch_views.h"
#include "api/idempotent.h"
#include "api/paging.h"
#include "downloads/presets.h"
#include "http/router.h"

namespace trawl::api {

// Batches: made from URLs, playlists or channels, shown, paused, resumed, retried and cancelled, at the
// canonical paths and at those of the first project.
class BatchRoutes {
 public:
  BatchRoutes(downloads::Batches& batches, downloads::Presets& presets, jobs::Idempotency& idempotency,
              const Clock& clock, ViewContext context)
      : batches_(batches),
        presets_(presets),
        idempotent_(idempotency),
        clock_(clock),
        context_(std::move(context)) {}

  void add_to(http::Router& router);
  // The answer to a list of URLs that was sent where downloads are created.
  [[nodiscard]] Task<http::Response> create_from_urls(http::Request request);

 private:
  // Calls `member` unless the path names what is somebody else's, which does not exist for the caller.
  Task<http::Response> own(http::Request request, Task<http::Response> (BatchRoutes::*member)(http::Request));
  // What a path for making batches stands for.
  struct Way {
    int status = 202;
    bool canonical = true;
    std::optional<downloads::BatchSource> source;  // Empty: as the body says.
  };
  Task<http::Response> create(http::Request request, Way way);
  Task<http::Response> submit(const http::Request& request, Way way, const Idempotent::Keep& keep);
  Task<http::Response> show(http::Request request);
  Task<http::Response> list(http::Request request);
  Task<http::Response> cancel(http::Request request);
  Task<http::Response> pause(http::Request request);
  Task<http::Response> resume(http::Request request);
  Task<http::Response> retry(http::Request request);
  template <class Order>
  Task<http::Response> order(http::Request request, Order order);
  // The batch with that page of its children.
  Task<http::Response> answer(const http::Request& request, int status, std::string id);
  http::Response answer_with(const downloads::Batches::Children& shown, const PageRequest& page,
                             int status) const;

  downloads::Batches& batches_;
  downloads::Presets& presets_;
  Idempotent idempotent_;
  const Clock& clock_;
  ViewContext context_;
};

}  // namespace trawl::api
