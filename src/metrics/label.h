#pragma once

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace trawl::metrics {

// Label values that come from outside (an extractor's name, said by a child): at most `most` different
// ones, of 1 to 64 letters, digits and "._:-"; everything else is "other". Any thread.
class OpenLabel {
 public:
  explicit OpenLabel(std::size_t most) : most_(most) {}
  [[nodiscard]] std::string of(std::string_view value);

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace trawl::metrics
