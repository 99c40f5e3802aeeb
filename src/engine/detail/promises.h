#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/detail/protocol.h"

namespace trawl::engine {

// What a child promises in a transfer, put together from its messages.
class Promises {
 public:
  static constexpr std::size_t kMaxParts = 10'000;
  static constexpr std::size_t kMaxBytes = 256 << 20;  // About what the parts take in memory.

  // Fails when the message does not go on where the last one stopped, names a file outside of the
  // work folder or one promised before, or the limits are passed.
  [[nodiscard]] Result<void> add(Promise promise);
  // Ends the list, for good; fails when it is empty or its last part is not whole.
  [[nodiscard]] Result<void> close();
  [[nodiscard]] bool complete() const { return complete_; }
  // Something is promised and not settled.
  [[nodiscard]] bool pending() const { return !names_.empty() && !settled_; }
  void settle() { settled_ = true; }
  // The parts; it is not complete any more then, and takes no others.
  [[nodiscard]] std::vector<media::Part> take();

 private:
  std::vector<media::Part> parts_;
  std::set<std::string> names_;
  std::size_t bytes_ = 0;
  bool open_ = false;  // The last part's segments go on.
  bool complete_ = false;
  bool closed_ = false;
  bool settled_ = false;
};

}  // namespace trawl::engine
