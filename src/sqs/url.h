#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace trawl::sqs {

// A queue: sqs://sqs.eu-west-1.amazonaws.com/123456789012/trawl, reached by HTTPS. Behind another name the
// region is said: sqs://host/1/trawl?region=eu-west-1. sqs+http:// is for servers on the own machine.
struct Queue {
  std::string endpoint;  // https://host:port/
  std::string url;       // https://host:port/account/name
  std::string region;
  friend bool operator==(const Queue&, const Queue&) = default;
};

[[nodiscard]] Result<Queue> parse_url(std::string_view text);

}  // namespace trawl::sqs
