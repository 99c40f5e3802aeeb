#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/stored_views.h"

namespace trawl::api {

// What reading stored files again has shown.
struct IntegrityView : PageNumbers {
  std::int64_t rate_bytes_per_second = 0;  // 0: files are not read again.
  double interval_days = 0;
  std::optional<std::string> reader;  // The process that reads now.
  std::int64_t total_files = 0, total_bytes = 0;
  std::int64_t due_files = 0, due_bytes = 0;  // Of them.
  std::optional<SystemTime> oldest_check;
  std::int64_t corrupt = 0, missing = 0, unreadable = 0;
  std::vector<StoredView> files;  // Those, by age.
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(IntegrityView, (PageNumbers),
                      (rate_bytes_per_second, interval_days, reader, total_files, total_bytes, due_files,
                       due_bytes, oldest_check, corrupt, missing, unreadable, files, timestamp))

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::IntegrityView> {
  static json::value make();
};
