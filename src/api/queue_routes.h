#pragma once

#include <functional>
#include <string>

#include "downloads/downloads.h"
#include "http/router.h"
#include "jobs/overview.h"

namespace trawl::api {

// The queue for those who run the service: what waits, who works, which hosts are left alone, and the
// dead letters.
class QueueRoutes {
 public:
  struct Facts {
    std::string worker;     // This process's name.
    std::size_t slots = 0;  // What it may run at once.
    std::int64_t max_queued = 0;
    std::function<bool()> draining;
  };

  QueueRoutes(downloads::Downloads& downloads, jobs::Overview& overview, const Clock& clock, Facts facts)
      : downloads_(downloads), overview_(overview), clock_(clock), facts_(std::move(facts)) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> queue(http::Request request);
  Task<http::Response> workers(http::Request request);
  Task<http::Response> breakers(http::Request request);
  Task<http::Response> dead_letters(http::Request request);
  Task<http::Response> replay(http::Request request);
  Task<http::Response> bury(http::Request request);
  Task<http::Response> bury_all(http::Request request);

  downloads::Downloads& downloads_;
  jobs::Overview& overview_;
  const Clock& clock_;
  Facts facts_;
};

}  // namespace trawl::api
