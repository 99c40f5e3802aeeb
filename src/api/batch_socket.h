#pragma once

#include "api/batch_views.h"
#include "api/job_feed.h"
#include "http/router.h"

namespace trawl::api {

// WebSocket progress of a batch (docs/websocket.md): `connected`, `snapshot`, then `status` for every step
// of a child and `progress` when the counts change, at most 4 times a second; closes with 1000 after the
// final `status` of the batch itself. With `?last_seq=N` the steps after N come first.
class BatchSocket {
 public:
  BatchSocket(downloads::Batches& batches, events::Bus& bus, const Clock& clock, StillAdmitted still)
      : batches_(batches), bus_(bus), clock_(clock), still_(std::move(still)) {}

  void add_to(http::Router& router);

 private:
  class Session;
  // Refuses the upgrade when there is nothing to watch.
  Task<std::optional<http::Response>> check(http::Request request);
  Task<void> serve(http::Request request, http::WebSocket& socket);

  downloads::Batches& batches_;
  events::Bus& bus_;
  const Clock& clock_;
  StillAdmitted still_;
};

}  // namespace trawl::api
