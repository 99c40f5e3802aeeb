#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "async/wire.h"
#include "redis/url.h"

namespace trawl::redis {

// Streams with a consumer group: each message goes to one of the nodes that listen, the urgent ones
// first. A message is text "<priority 1..10> <rest>".
//
//   PREFIX:high, :normal, :low   priorities 8-10, 4-7, 1-3; bounded, the oldest give way
//   PREFIX:dead                  messages that nobody could take: not of that form, or handed out
//                                kMostDeliveries times; bounded as well
//
// What a node took and did not confirm for `idle` is taken over by another.
struct StreamsOptions {
  std::string prefix = "trawl:bell";
  std::string consumer;  // Unique per process start.
  std::chrono::milliseconds idle{10'000};
  std::size_t longest = 10'000;
};
inline constexpr int kMostDeliveries = 3;

[[nodiscard]] std::unique_ptr<Wire> make_streams_wire(const Address& address, asio::any_io_executor loop,
                                                      StreamsOptions options);

}  // namespace trawl::redis
