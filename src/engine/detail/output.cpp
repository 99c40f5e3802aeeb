#include "engine/detail/output.h"

#include <algorithm>
#include <array>

#include <boost/asio/buffer.hpp>

#include "async/event.h"
#include "base/text.h"

namespace trawl::engine {
namespace {

constexpr std::size_t kBytesPerPause = 256 << 10;
constexpr auto kPause = std::chrono::milliseconds(64);

}  // namespace

std::vector<std::string> OutputTail::feed(std::string_view bytes) {
  std::vector<std::string> lines;
  kept_.append(bytes);
  if (kept_.size() > 2 * kKept) kept_.erase(0, kept_.size() - kKept);
  for (const char c : bytes) {
    if (c != '\n' && c != '\r') {
      if (line_.size() < kMaxLine) line_ += c;
    } else if (!line_.empty()) {
      lines.push_back(to_valid_utf8(line_));
      line_.clear();
    }
  }
  return lines;
}

std::vector<std::string> OutputTail::last_lines(std::size_t count) const {
  std::string_view text(kept_);
  if (text.size() > kKept) text.remove_prefix(text.size() - kKept);
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < count) {
    const auto start = text.find_last_of("\r\n");
    const auto line = start == text.npos ? text : text.substr(start + 1);
    if (!line.empty()) lines.push_back(to_valid_utf8(line.substr(0, kMaxLine)));
    if (start == text.npos) break;
    text = text.substr(0, start);
  }
  std::ranges::reverse(lines);
  return lines;
}

bool LineBudget::allow(SteadyTime now) {
  const std::chrono::duration<double> passed = now - last_;
  tokens_ = std::min(kBurst, tokens_ + passed.count() * kPerSecond);
  last_ = now;
  if (tokens_ < 1) {
    ++refused_;
    return false;
  }
  --tokens_;
  return true;
}

Task<void> read_lines(asio::posix::stream_descriptor& pipe, OutputTail& tail,
                      std::function<void(std::string)> on_line) {
  std::array<char, 16 << 10> buffer;
  std::size_t since_pause = 0;
  for (;;) {
    const auto [error, size] = co_await pipe.async_read_some(asio::buffer(buffer), as_result);
    if (error) co_return;
    for (auto& line : tail.feed({buffer.data(), size})) on_line(std::move(line));
    since_pause += size;
    if (since_pause < kBytesPerPause) continue;
    since_pause = 0;
    co_await sleep_for(kPause);
  }
}

}  // namespace trawl::engine
