#pragma once

#include "api/idempotent.h"
#include "api/long_poll.h"
#include "api/paging.h"
#include "api/views.h"
#include "downloads/downloads.h"
#include "downloads/presets.h"
#include "http/router.h"

namespace trawl::api {

// Create, show, list, cancel and read the logs of downloads, at the canonical paths and at those of
// the services Trawl follows.
class DownloadRoutes {
 public:
  // `many` creates a batch of the URLs in a request's body.
  using Many = std::function<Task<http::Response>(http::Request)>;
  DownloadRoutes(downloads::Downloads& downloads, downloads::Presets& presets, jobs::Idempotency& idempotency,
                 LongPoll& long_poll, const Clock& clock, ViewContext context, Many many)
      : downloads_(downloads),
        presets_(presets),
        idempotent_(idempotency),
        long_poll_(long_poll),
        clock_(clock),
        context_(std::move(context)),
        many_(std::move(many)) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> create(http::Request request, int status, bool canonical);
  Task<http::Response> show(http::Request request);
  Task<http::Response> list(http::Request request);
  // `refused`: the status of an answer that it has ended already.
  Task<http::Response> cancel(http::Request request, int refused);
  Task<http::Response> logs(http::Request request);
  Task<http::Response> files(http::Request request);

  Task<http::Response> submit(const http::Request& request, media::DownloadRequest wanted, int status,
                              const Idempotent::Keep& keep);
  Task<http::Response> status(http::Request request);
  Task<http::Response> list_jobs(http::Request request);
  // A page of downloads, or the answer that refuses the query.
  using Listed = std::expected<std::pair<downloads::Downloads::Page, PageRequest>, http::Response>;
  Task<Listed> read_page(http::Request request);

  downloads::Downloads& downloads_;
  downloads::Presets& presets_;
  Idempotent idempotent_;
  LongPoll& long_poll_;
  const Clock& clock_;
  ViewContext context_;
  Many many_;
};

}  // namespace trawl::api
