#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "engine/engine.h"

// The messages of docs/engine-protocol.md as values.
namespace trawl::engine {

inline constexpr std::size_t kMaxMessage = 16 << 20;

struct Ready {
  Versions versions;
  Sandbox sandbox;
};
BOOST_DESCRIBE_STRUCT(Ready, (), (versions, sandbox))
struct Unusable {
  std::string message;
};
BOOST_DESCRIBE_STRUCT(Unusable, (), (message))
struct Started {
  std::int64_t child = 0;
  int pid = 0;
};
BOOST_DESCRIBE_STRUCT(Started, (), (child, pid))
struct NotStarted {
  std::int64_t child = 0;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(NotStarted, (), (child, message))
struct Exited {
  std::int64_t child = 0;
  int signal = 0;  // 0: ended by itself with `status`.
  int status = 0;
};
BOOST_DESCRIBE_STRUCT(Exited, (), (child, signal, status))

using HostEvent = std::variant<Ready, Unusable, Started, NotStarted, Exited>;

struct LogLine {
  LogLevel level = LogLevel::info;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(LogLine, (), (level, message))
struct Moved {
  media::Progress progress;
};
BOOST_DESCRIBE_STRUCT(Moved, (), (progress))
struct Step {
  std::string name;
};
BOOST_DESCRIBE_STRUCT(Step, (), (name))
struct Resolved {
  media::Plan plan;
};
BOOST_DESCRIBE_STRUCT(Resolved, (), (plan))
// A part that the server is to bring; `more`: its segments go on in the next message.
struct Promise {
  media::Part part;
  bool more = false;
};
BOOST_DESCRIBE_STRUCT(Promise, (), (part, more))
// Everything is promised; the child waits.
struct Promised {};
struct Transferred {};
struct Finished {
  std::vector<media::Produced> files;
};
BOOST_DESCRIBE_STRUCT(Finished, (), (files))
struct Failed {
  Error error;
  std::string extractor = {};  // Whose error it is; empty when it is of none.
  std::optional<std::chrono::seconds> retry_after = {};
};

using ChildEvent = std::variant<LogLine, Moved, Step, Resolved, media::Listed, Promise, Promised, Transferred,
                                Finished, Failed>;

// Errc::internal when the text is no message of the protocol.
[[nodiscard]] Result<HostEvent> decode_host_event(std::string_view text);
[[nodiscard]] Result<ChildEvent> decode_child_event(std::string_view text);

}  // namespace trawl::engine
