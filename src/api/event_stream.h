#pragma once

#include "api/job_feed.h"
#include "http/router.h"

namespace trawl::api {

// Progress of one download as server-sent events (docs/websocket.md): what the WebSocket says, for clients
// that only speak HTTP. `Last-Event-ID` goes on where an earlier stream broke off.
class EventStream {
 public:
  struct Options {
    std::chrono::milliseconds keep_alive{15'000};  // A comment is sent after so much silence.
  };
  EventStream(downloads::Downloads& downloads, const Clock& clock, ViewContext context, StillAdmitted still,
              Options options)
      : downloads_(downloads),
        clock_(clock),
        context_(std::move(context)),
        still_(std::move(still)),
        options_(options) {}

  void add_to(http::Router& router);

 private:
  class Body;
  Task<http::Response> open(http::Request request);

  downloads::Downloads& downloads_;
  const Clock& clock_;
  ViewContext context_;
  StillAdmitted still_;
  Options options_;
};

// One message in the form of the HTML standard's event streams: id (of what is recorded), event and data.
[[nodiscard]] std::string event_text(const FeedItem& item);

}  // namespace trawl::api
