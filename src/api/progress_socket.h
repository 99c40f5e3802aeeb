#pragma once

#include "api/job_feed.h"
#include "downloads/downloads.h"
#include "http/router.h"

namespace trawl::api {

// WebSocket progress of one download (docs/websocket.md).
//
// First `connected`, then `snapshot`, then what happens: `progress` (at most 4 a second), `status`
// and `log`; the socket closes with 1000 after the final status. With `?last_seq=N` everything
// recorded after N is sent before anything new. A watcher that cannot keep up loses progress only.
class ProgressSocket {
 public:
  ProgressSocket(downloads::Downloads& downloads, const Clock& clock, ViewContext context,
                 StillAdmitted still)
      : downloads_(downloads), clock_(clock), context_(std::move(context)), still_(std::move(still)) {}

  void add_to(http::Router& router);

 private:
  class Session;
  // Refuses the upgrade when there is nothing to watch.
  Task<std::optional<http::Response>> check(http::Request request);
  Task<void> serve(http::Request request, http::WebSocket& socket);

  downloads::Downloads& downloads_;
  const Clock& clock_;
  ViewContext context_;
  StillAdmitted still_;
};

}  // namespace trawl::api
