#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "storage/detail/lease_folder.h"

namespace trawl::storage::detail {

// What lies in the content folder of one lease.
struct LeaseContent {
  LeaseName lease;
  std::vector<std::string> locations;  // May be empty.
};

// The first column of each row.
[[nodiscard]] std::vector<std::string> locations_of(const std::vector<db::Row>& rows);

// The jobs that have a folder in content/.
[[nodiscard]] Result<std::vector<JobId>> list_content_jobs(const std::filesystem::path& root);
[[nodiscard]] Result<std::vector<LeaseContent>> list_content(const std::filesystem::path& root,
                                                             const JobId& job);

// Removes files by location, and then the folders of their lease and job if they are empty. Says
// how many were there; what cannot be removed is logged and left to the next sweep.
std::size_t remove_content(const std::filesystem::path& root, const std::vector<std::string>& locations);

// Removes the folder of a lease and that of its job, if they are empty.
void remove_empty_folders(const std::filesystem::path& lease_folder);

}  // namespace trawl::storage::detail
