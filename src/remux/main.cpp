// Copies media streams from container to container, one request per process: JSON on standard input,
// JSON on standard output. docs/remux.md has both.

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"
#include "remux/av.h"
#include "remux/remux.h"

namespace trawl::remux {
namespace {

constexpr std::size_t kMaxRequest = 4 << 20;

Result<std::string> read_request() {
  std::string text;
  std::string part(64 << 10, '\0');
  for (;;) {
    const auto got = ::read(STDIN_FILENO, part.data(), part.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail(Errc::internal, fmt::format("cannot read the request: {}", std::strerror(errno)));
    text.append(part, 0, static_cast<std::size_t>(got));
    if (text.size() > kMaxRequest) return fail(Errc::too_large, "the request is longer than 4 MiB");
  }
}

Result<json::object> serve() {
  const auto text = read_request();
  if (!text) return fail(text.error());
  const auto request = parse_request(*text);
  if (!request) return fail(request.error());
  return request->copy ? copy(*request->copy) : probe(*request->probe);
}

bool print(std::string_view text) {
  while (!text.empty()) {
    const auto put = ::write(STDOUT_FILENO, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace
}  // namespace trawl::remux

int main() {
  using namespace trawl;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGXFSZ, SIG_IGN);
  av_log_set_level(AV_LOG_QUIET);
  auto done = remux::serve();
  json::object answer{{"ok", done.has_value()}};
  if (done) {
    answer.insert(done->begin(), done->end());
  } else {
    answer["error"] = json::object{{"code", to_string(done.error().code)}, {"message", done.error().message}};
  }
  return remux::print(to_valid_utf8(json::serialize(answer)) + "\n") ? (done ? 0 : 1) : 2;
}
