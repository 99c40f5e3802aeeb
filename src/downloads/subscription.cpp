#include "downloads/subscription.h"

namespace trawl::downloads {
namespace {

constexpr std::chrono::seconds kDefaultInterval{3600};

}  // namespace

Result<void> check_subscription(const SubscriptionRequest& request) {
  if (source_of(request) == BatchSource::urls)
    return fail(Errc::invalid, "a subscription needs url, and no urls", "validation_error");
  if (request.interval_sec && request.cron)
    return fail(Errc::invalid, "interval_sec and cron do not go together", "validation_error");
  return check_batch(request);
}

SystemTime next_run(const SubscriptionRequest& request, SystemTime now) {
  if (!request.cron)
    return now + std::chrono::seconds(request.interval_sec.value_or(kDefaultInterval.count()));
  const auto cron = Cron::parse(*request.cron);
  return cron ? cron->next(now) : now + kDefaultInterval;
}

std::expected<SubscriptionRequest, std::vector<Problem>> changed(const SubscriptionRequest& request,
                                                                 const json::object& changes) {
  json::object document = encode(request).as_object();
  // One way of saying when replaces the other.
  if (changes.contains("cron")) document["interval_sec"] = nullptr;
  if (changes.contains("interval_sec")) document["cron"] = nullptr;
  for (const auto& [name, value] : changes) document[name] = value;
  return decode<SubscriptionRequest>(document);
}

}  // namespace trawl::downloads
