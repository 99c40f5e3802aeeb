#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "storage/artifact.h"

namespace trawl::webhooks {

// What a payload tells of a job.
struct Subject {
  JobId job;
  std::string url;
  SystemTime at;
  json::object result;    // jobs.result: {metadata}
  json::object progress;  // jobs.progress
  std::optional<std::string> error, error_code;
  std::vector<storage::Artifact> artifacts;
};

// The event that a change to this job state makes, as in API.md 4.4; nothing for the others.
// `first_attempt`: a job is started once, however often it is tried.
[[nodiscard]] std::optional<std::string_view> event_of(std::string_view state, bool first_attempt);

// The body of a delivery: {type, event, timestamp, request_id, data}, `type` and `event` the same.
// `data` holds what both earlier services sent under their names; texts are shortened so that the
// whole stays below 20 kB. Links begin with `public_url`.
[[nodiscard]] json::object payload(std::string_view event, const Subject& subject,
                                   std::string_view public_url);

}  // namespace trawl::webhooks
