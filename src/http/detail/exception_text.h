#pragma once

#include <exception>
#include <string>

namespace trawl::http::detail {

// What a caught exception says of itself, for the log.
[[nodiscard]] std::string text_of(const std::exception_ptr& failure);

}  // namespace trawl::http::detail
