#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trawl::http::detail {

// Where a request head stands in the bytes received so far.
struct HeadScan {
  enum class State { incomplete, complete, malformed } state = State::incomplete;
  std::size_t size = 0;  // With the empty line, when complete.
};

// Finds the end of the head. A line that does not end in CR LF is malformed at once, so nobody waits
// for the rest of it. `from` is how many bytes an earlier scan has already seen.
[[nodiscard]] HeadScan scan_head(std::string_view bytes, std::size_t from = 0);

struct HeadProblem {
  int status = 400;
  std::string message;
};

// Holds a complete head against RFC 9112 more strictly than Beast's parser does, because what two
// parsers read differently can smuggle a request past the first one: any framing that could be read
// in two ways is refused, also where the RFC would allow a server to repair it.
[[nodiscard]] std::optional<HeadProblem> check_head(std::string_view head);

}  // namespace trawl::http::detail
