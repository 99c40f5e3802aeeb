#include "http/detail/head_check.h"

#include <algorithm>

#include "base/text.h"
#include "http/detail/field_value.h"

namespace trawl::http::detail {
namespace {

constexpr std::size_t kMaxFields = 100;
constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
constexpr std::string_view kHostMarks = "-._~%!$&'()*+;=:[]";

using Problem = std::optional<HeadProblem>;

Problem bad(std::string message) {
  return HeadProblem{.status = 400, .message = std::move(message)};
}

bool alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool token_character(char c) {
  return alphanumeric(c) || kTokenMarks.contains(c);
}
bool host_character(char c) {
  return alphanumeric(c) || kHostMarks.contains(c);
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool visible(char c) {
  return c > 0x20 && c < 0x7f;
}
bool value_character(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

bool token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, token_character);
}

// Takes the next line off `rest`, without its CR LF.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
  return line;
}

Problem check_version(std::string_view version) {
  const bool http = version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) &&
                    version[6] == '.' && digit(version[7]);
  if (!http) return bad("the request line does not end in an HTTP version");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return HeadProblem{.status = 505, .message = "only HTTP/1.0 and HTTP/1.1 are served here"};
  }
  return std::nullopt;
}

Problem check_request_line(std::string_view line) {
  const auto parts = split(line, ' ');
  if (parts.size() != 3)
    return bad("the request line is not method, target and version with one space between");
  if (!token(parts[0])) return bad("the method is not a token");
  if (parts[1].empty() || !std::ranges::all_of(parts[1], visible))
    return bad("the request target has characters that must be percent-encoded");
  return check_version(parts[2]);
}

// What the fields say about where the message ends and whom it is for.
struct Framing {
  bool http_1_0 = false;
  std::size_t lengths = 0, encodings = 0, hosts = 0;

  Problem add(std::string_view name, std::string_view value) {
    if (same_token(name, "Content-Length")) {
      ++lengths;
      if (value.empty() || value.size() > 18 || !std::ranges::all_of(value, digit))
        return bad("Content-Length is not a decimal number");
    } else if (same_token(name, "Transfer-Encoding")) {
      ++encodings;
      if (!same_token(value, "chunked")) return bad("the only Transfer-Encoding understood is chunked");
    } else if (same_token(name, "Host")) {
      ++hosts;
      if (!std::ranges::all_of(value, host_character)) return bad("Host is not a host name");
    }
    return std::nullopt;
  }

  [[nodiscard]] Problem check() const {
    if (lengths > 1) return bad("Content-Length is given more than once");
    if (encodings > 1) return bad("Transfer-Encoding is given more than once");
    if (lengths > 0 && encodings > 0) return bad("Content-Length and Transfer-Encoding exclude each other");
    if (http_1_0 && encodings > 0) return bad("HTTP/1.0 knows no Transfer-Encoding");
    if (hosts > 1) return bad("Host is given more than once");
    if (!http_1_0 && hosts == 0) return bad("an HTTP/1.1 request needs a Host");
    return std::nullopt;
  }
};

Problem check_field(std::string_view line, Framing& framing) {
  if (line.front() == ' ' || line.front() == '\t') return bad("a header field continues on a second line");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !token(line.substr(0, colon)))
    return bad("a header field does not begin with its name and a colon");
  const std::string_view value = line.substr(colon + 1);
  if (!std::ranges::all_of(value, value_character)) return bad("a header field has control characters");
  return framing.add(line.substr(0, colon), trim(value));
}

}  // namespace

HeadScan scan_head(std::string_view bytes, std::size_t from) {
  for (auto at = bytes.find('\n', from); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return {HeadScan::State::malformed, 0};
    if (at == 1 || (at >= 3 && bytes[at - 2] == '\n')) return {HeadScan::State::complete, at + 1};
  }
  return {};
}

Problem check_head(std::string_view head) {
  const std::string_view line = take_line(head);
  if (auto problem = check_request_line(line)) return problem;
  Framing framing{.http_1_0 = line.ends_with("1.0")};
  std::size_t fields = 0;
  for (std::string_view field = take_line(head); !field.empty(); field = take_line(head)) {
    if (++fields > kMaxFields)
      return HeadProblem{.status = 431, .message = "the request has too many header fields"};
    if (auto problem = check_field(field, framing)) return problem;
  }
  if (!head.empty()) return bad("the request head does not end at its empty line");
  return framing.check();
}

}  // namespace trawl::http::detail
