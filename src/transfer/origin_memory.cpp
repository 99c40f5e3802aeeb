#include "transfer/origin_memory.h"

#include <algorithm>

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;

constexpr auto kKept = 10min;
constexpr std::size_t kMost = 1000;

}  // namespace

std::size_t OriginMemory::connections(const std::string& origin, Time now) const {
  const auto found = entries_.find(origin);
  return found == entries_.end() || now - found->second.noted > kKept ? 1 : found->second.connections;
}

void OriginMemory::note(const std::string& origin, std::size_t connections, Time now) {
  if (connections <= 1) {
    entries_.erase(origin);
    return;
  }
  entries_.insert_or_assign(origin, Entry{connections, now});
  if (entries_.size() > kMost) forget_oldest();
}

void OriginMemory::forget_oldest() {
  entries_.erase(
      std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.noted; }));
}

}  // namespace trawl::transfer
