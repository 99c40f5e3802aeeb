#pragma once

#include "api/job_feed.h"
#include "http/router.h"

namespace trawl::api {

// WebSocket `/ws`: what happens to all downloads of the caller, on any node (docs/websocket.md).
//
// Live only: it begins with what comes next. What waits for a slow watcher is bounded; when it was too much
// it is dropped, and `resync` tells the watcher to look at the list again.
class FirehoseSocket {
 public:
  using OwnerOf = std::function<Task<Result<std::string>>(JobId)>;
  FirehoseSocket(events::Bus& bus, OwnerOf owner_of, const Clock& clock, StillAdmitted still)
      : bus_(bus), owner_of_(std::move(owner_of)), clock_(clock), still_(std::move(still)) {}

  void add_to(http::Router& router);

 private:
  class Session;
  Task<std::optional<http::Response>> check(http::Request request);
  Task<void> serve(http::Request request, http::WebSocket& socket);

  events::Bus& bus_;
  OwnerOf owner_of_;
  const Clock& clock_;
  StillAdmitted still_;
};

}  // namespace trawl::api
