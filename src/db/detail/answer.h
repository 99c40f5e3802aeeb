#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "db/database.h"

namespace trawl::db::detail {

// What one statement brought.
struct Answer {
  std::vector<Row> rows;
  std::int64_t changed = 0;
};

}  // namespace trawl::db::detail
