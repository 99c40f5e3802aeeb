#pragma once

#include "downloads/downloads.h"
#include "http/message.h"

namespace trawl::api {

// The download that a request's `{id}` names, if it exists for the caller; otherwise the answer, which is
// the same 404 whether the id is malformed, unknown or somebody else's.
[[nodiscard]] Task<std::expected<downloads::Download, http::Response>> find_for(
    downloads::Downloads& downloads, const http::Request& request);

// Whose downloads a list for this caller may hold; nothing for everybody's.
[[nodiscard]] inline std::optional<std::string> visible_owner(const http::Caller& caller) {
  return caller.sees_all ? std::nullopt : std::optional(caller.owner);
}

}  // namespace trawl::api
