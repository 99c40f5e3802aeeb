#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/describe.h"
#include "base/id.h"
#include "base/json.h"

namespace trawl::webhooks {

using DeliveryId = Id<struct DeliveryTag>;

enum class DeliveryState {
  pending,    // Waits for its first or next attempt.
  delivered,  // The receiver answered 2xx.
  failed,     // Given up; may be replayed.
  disabled,   // Not sent: the address had answered 410.
};

// One attempt, as it is kept for people.
struct Attempt {
  SystemTime at;
  int status = 0;  // 0: no answer.
  std::string error;
};
BOOST_DESCRIBE_STRUCT(Attempt, (), (at, status, error))

// A row of the table `webhook_deliveries`: one event on its way to one address. The id is the
// receiver's key for deduplication and stays the same over attempts and replays.
struct Delivery {
  DeliveryId id;
  JobId job;
  std::string tenant;
  std::string event;  // "download.completed"
  std::string url;
  std::string body;  // The very bytes that are signed and sent.
  DeliveryState state = DeliveryState::pending;
  int attempts = 0;
  std::int64_t epoch = 0;  // The fence: +1 at each claim.
  SystemTime next_at;
  std::vector<Attempt> history;  // The newest 20, oldest first.
  SystemTime created_at;
  SystemTime updated_at;
};

// The `webhook-id` of a delivery.
[[nodiscard]] inline std::string message_id(const DeliveryId& id) {
  return "msg_" + id.str();
}

}  // namespace trawl::webhooks

template <>
struct trawl::EnumText<trawl::webhooks::DeliveryState> {
  using S = trawl::webhooks::DeliveryState;
  static constexpr std::pair<S, std::string_view> names[] = {
      {S::pending, "pending"}, {S::delivered, "delivered"}, {S::failed, "failed"}, {S::disabled, "disabled"}};
};
