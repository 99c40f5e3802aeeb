#pragma once

#include <map>
#include <set>
#include <string>

#include "http/router.h"

namespace trawl::api {

using RefusalCodes = std::set<std::string, std::less<>>;

// How a route may refuse, by status: what its contract says, and what is said before its handler is asked by
// the front (http/server.h) and the gate (api/key_guard.h).
[[nodiscard]] std::map<int, RefusalCodes> all_refusals(const http::Endpoint& endpoint);

// The schema of the one error body (http/message.h).
[[nodiscard]] json::object error_schema();
// The media type object of the refusals with one status, an example for each code.
[[nodiscard]] json::object refusal_media(int status, const RefusalCodes& codes);

}  // namespace trawl::api
