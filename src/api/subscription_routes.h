#pragma once

#include "api/batch_views.h"
#include "api/idempotent.h"
#include "downloads/subscriptions.h"
#include "http/router.h"

namespace trawl::api {

// Subscriptions: made, shown, changed, paused, run and deleted, with the history of their runs.
class SubscriptionRoutes {
 public:
  SubscriptionRoutes(downloads::Subscriptions& subscriptions, jobs::Idempotency& idempotency,
                     const Clock& clock)
      : subscriptions_(subscriptions), idempotent_(idempotency), clock_(clock) {}

  void add_to(http::Router& router);

 private:
  // Calls `member` unless the path names what is somebody else's, which does not exist for the caller.
  Task<http::Response> own(http::Request request,
                           Task<http::Response> (SubscriptionRoutes::*member)(http::Request));
  Task<http::Response> create(http::Request request);
  Task<http::Response> show(http::Request request);
  Task<http::Response> list(http::Request request);
  Task<http::Response> replace(http::Request request);
  Task<http::Response> patch(http::Request request);
  Task<http::Response> remove(http::Request request);
  Task<http::Response> pause(http::Request request);
  Task<http::Response> resume(http::Request request);
  Task<http::Response> run(http::Request request);
  Task<http::Response> runs(http::Request request);
  Task<http::Response> store(http::Request request, downloads::SubscriptionRequest body);

  downloads::Subscriptions& subscriptions_;
  Idempotent idempotent_;
  const Clock& clock_;
};

}  // namespace trawl::api
