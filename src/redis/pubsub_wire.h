#pragma once

#include <memory>
#include <string>

#include "async/wire.h"
#include "redis/url.h"

namespace trawl::redis {

// PUBLISH and SUBSCRIBE on `channel`.
[[nodiscard]] std::unique_ptr<Wire> make_pubsub_wire(const Address& address, asio::any_io_executor loop,
                                                     const std::string& channel);

}  // namespace trawl::redis
