#include "metrics/label.h"

#include <algorithm>

namespace trawl::metrics {
namespace {

constexpr std::size_t kLongest = 64;

bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._:-").contains(c);
}

}  // namespace

std::string OpenLabel::of(std::string_view value) {
  if (value.empty() || value.size() > kLongest || !std::ranges::all_of(value, allowed)) return "other";
  const std::scoped_lock lock(mutex_);
  if (known_.contains(value)) return std::string(value);
  if (known_.size() >= most_) return "other";
  return *known_.emplace(value).first;
}

}  // namespace trawl::metrics
