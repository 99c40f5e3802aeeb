#pragma once

#include <memory>
#include <string>

#include "async/wire.h"

namespace trawl::db {

// NOTIFY and LISTEN of PostgreSQL on `channel`, outside of any transaction that changes data: a commit
// that notifies would wait for every other one. A message has at most kMostBytes.
inline constexpr std::size_t kMostBytes = 7'900;
[[nodiscard]] std::unique_ptr<Wire> make_notify_wire(const std::string& url, asio::any_io_executor loop,
                                                     const std::string& channel);

}  // namespace trawl::db
