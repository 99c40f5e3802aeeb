#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

namespace trawl::transfer {

// Which origins gave more to several connections, so that the next file from there begins with as many.
// Forgets after ten minutes. On one executor.
class OriginMemory {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // 1 for an origin nothing is known of.
  [[nodiscard]] std::size_t connections(const std::string& origin, Time now) const;
  void note(const std::string& origin, std::size_t connections, Time now);

 private:
  struct Entry {
    std::size_t connections = 1;
    Time noted;
  };

  void forget_oldest();

  std::map<std::string, Entry> entries_;
};

}  // namespace trawl::transfer
