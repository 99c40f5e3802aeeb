#include "updates/guard.h"

namespace trawl::updates {
namespace {

constexpr std::int64_t kEnough = 10;
constexpr double kJump = 0.3;
constexpr double kWithoutRecord = 0.5;

double failing(const Record& record) {
  return static_cast<double>(record.failed) / static_cast<double>(record.completed + record.failed);
}

}  // namespace

bool has_jumped(const Record& now, const Record& before) {
  if (now.completed + now.failed < kEnough) return false;
  const bool known = before.completed + before.failed >= kEnough;
  return failing(now) > (known ? failing(before) + kJump : kWithoutRecord);
}

}  // namespace trawl::updates
