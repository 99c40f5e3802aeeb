#pragma once

#include "downloads/downloads.h"
#include "http/message.h"

namespace trawl::api {

// `GET /downloads/{id}?wait=60`: an answer that comes when there is something new to say.
//
// It comes when the download's state or phase is another than it was when asked, or than `state` and
// `phase` say the client knows of, at the latest after `wait` seconds; at once when the download has ended.
// So many may wait at a time, those beyond are answered at once: waiting must not keep others out.
class LongPoll {
 public:
  LongPoll(downloads::Downloads& downloads, asio::any_io_executor executor)
      : downloads_(downloads), released_(executor) {}

  // The download of `request`, as api/ownership.h finds it.
  [[nodiscard]] Task<std::expected<downloads::Download, http::Response>> find(http::Request request);
  // Nobody waits any more: the server stops.
  void release();

 private:
  static constexpr int kMostWaiting = 256;

  downloads::Downloads& downloads_;
  Event released_;
  bool open_ = true;
  int waiting_ = 0;
};

}  // namespace trawl::api
