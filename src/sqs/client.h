#pragma once

#include <atomic>
#include <curl/curl.h>
#include <memory>
#include <string>
#include <string_view>

#include "aws/credentials.h"
#include "base/json.h"
#include "base/result.h"
#include "sqs/url.h"

namespace trawl::sqs {

// Calls of the JSON protocol, signed with Signature Version 4. Used by one thread at a time.
//
// The operator names the server, so it may be anywhere, also in a private network; redirects are not
// followed.
class Client {
 public:
  Client(Queue queue, std::shared_ptr<aws::Credentials> credentials);

  // One action, such as "ReceiveMessage". Errc::unavailable when the server cannot be reached or says
  // that it cannot now, or there are no keys; forbidden when it refuses the keys, conflict for any other
  // refusal.
  [[nodiscard]] Result<json::object> call(std::string_view action, json::object request);
  // Makes the call under way fail within a second, and every later one. On any thread.
  void interrupt() { interrupted_ = true; }

  [[nodiscard]] const Queue& queue() const { return queue_; }

 private:
  struct Clean {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };

  const Queue queue_;
  const std::shared_ptr<aws::Credentials> credentials_;
  std::unique_ptr<CURL, Clean> handle_;
  std::string answer_;
  std::atomic<bool> interrupted_ = false;
};

}  // namespace trawl::sqs
