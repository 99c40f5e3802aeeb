#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "transfer/http_client.h"
#include "webhooks/schedule.h"
#include "webhooks/signature.h"

namespace trawl::webhooks {

struct PosterOptions {
  std::vector<Secret> secrets;  // The first signs X-Webhook-Signature; none: nothing is signed.
  std::chrono::seconds timeout{10};
  std::string user_agent;
};

// One signed POST: never follows a redirect, reads at most 64 KiB of the answer, and ends within the
// time-out whatever the receiver does. Addresses are judged by the client's policy.
class Poster {
 public:
  Poster(transfer::HttpClient& client, const Clock& clock, PosterOptions options)
      : client_(client), clock_(clock), options_(std::move(options)) {}

  [[nodiscard]] Task<Outcome> post(std::string url, std::string id, std::string body) const;

 private:
  transfer::HttpClient& client_;
  const Clock& clock_;
  const PosterOptions options_;
};

}  // namespace trawl::webhooks
