#pragma once

#include "downloads/batch.h"
#include "downloads/cron.h"

namespace trawl::downloads {

// The body of POST /subscriptions: a playlist, channel or feed, when to look at it, and what to make of
// each new entry.
struct SubscriptionRequest : BatchRequest {
  std::string name;
  std::optional<std::int64_t> interval_sec;  // Either this
  std::optional<std::string> cron;           // or this.
  bool skip_existing = false;
  bool paused = false;
};
BOOST_DESCRIBE_STRUCT(SubscriptionRequest, (BatchRequest), (name, interval_sec, cron, skip_existing, paused))

// Checks what no single field can: Errc::invalid.
[[nodiscard]] Result<void> check_subscription(const SubscriptionRequest& request);

// When it is looked at after `now`.
[[nodiscard]] SystemTime next_run(const SubscriptionRequest& request, SystemTime now);

// `changes`, a JSON object with members of SubscriptionRequest, put over `request`.
[[nodiscard]] std::expected<SubscriptionRequest, std::vector<Problem>> changed(
    const SubscriptionRequest& request, const json::object& changes);

// A row of `subscriptions`.
struct Subscription {
  std::string id;  // "sub_" and 32 hex digits that sort by creation.
  std::string tenant;
  SubscriptionRequest request;  // `paused` as it is now.
  SystemTime created_at, updated_at;
  std::optional<SystemTime> next_run_at, last_run_at;  // No next one while paused.
  std::int64_t runs = 0;
  std::int64_t entries = 0;             // Met so far.
  std::optional<std::string> last_run;  // The batch of the last run.
};

}  // namespace trawl::downloads

template <>
struct trawl::Rules<trawl::downloads::SubscriptionRequest> {
  static constexpr FieldRule fields[] = {
      {.name = "name", .doc = "For people; unless set, the title of the playlist.", .max = 200},
      {.name = "interval_sec",
       .doc = "Seconds between two looks; 3600 when there is no cron either.",
       .min = 60,
       .max = 2'678'400,
       .example = "3600"},
      {.name = "cron",
       .doc = "When to look, as a cron expression in UTC, instead of interval_sec.",
       .max = 200,
       .example = R"("0 */6 * * *")",
       .check = trawl::downloads::check_cron},
      {.name = "skip_existing", .doc = "Take only what appears after the first look."},
      {.name = "paused", .doc = "Not to be looked at until it is resumed."}};
};
