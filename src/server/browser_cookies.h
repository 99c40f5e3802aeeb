#pragma once

#include <string>
#include <vector>

#include "access/cookie_text.h"
#include "engine/engine.h"

namespace trawl::server {

// Takes the cookies of a browser of this machine, by a Python of its own that runs yt-dlp's extraction.
// `profile` is the name of one of the browser's profiles; empty: its default. Errc::invalid, reason
// "invalid_cookies" or "browser_unreadable". Blocks, for a minute at most.
[[nodiscard]] Result<std::vector<access::BrowserCookie>> browser_cookies(const engine::EngineOptions& engine,
                                                                         const std::string& browser,
                                                                         const std::string& profile);

}  // namespace trawl::server
