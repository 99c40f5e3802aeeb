#include "storage/detail/content.h"

#include <unistd.h>

#include <fmt/format.h>

#include "storage/detail/folder.h"

namespace trawl::storage::detail {

std::vector<std::string> locations_of(const std::vector<db::Row>& rows) {
  std::vector<std::string> out;
  for (const db::Row& row : rows) out.push_back(row.text(0));
  return out;
}

Result<std::vector<JobId>> list_content_jobs(const std::filesystem::path& root) {
  const auto names = list_folder(root / "content");
  if (!names) return fail(names.error());
  std::vector<JobId> out;
  for (const std::string& name : *names) {
    const auto job = JobId::parse(name);
    if (job && job->str() == name) out.push_back(*job);
  }
  return out;
}

Result<std::vector<LeaseContent>> list_content(const std::filesystem::path& root, const JobId& job) {
  const auto epochs = list_folder(root / "content" / job.str());
  if (!epochs) return fail(epochs.error());
  std::vector<LeaseContent> out;
  for (const std::string& name : *epochs) {
    const auto epoch = parse_epoch(name);
    if (!epoch) continue;
    LeaseContent content{.lease = {job, *epoch}, .locations = {}};
    const std::filesystem::path folder = content_folder(content.lease);
    const auto files = list_folder(root / folder);
    if (!files) return fail(files.error());
    for (const std::string& file : *files) content.locations.push_back((folder / file).native());
    out.push_back(std::move(content));
  }
  return out;
}

std::size_t remove_content(const std::filesystem::path& root, const std::vector<std::string>& locations) {
  std::size_t removed = 0;
  for (const std::string& location : locations) {
    const std::filesystem::path file = root / location;
    if (remove_tree(file)) ++removed;
    remove_empty_folders(file.parent_path());
  }
  return removed;
}

void remove_empty_folders(const std::filesystem::path& lease_folder) {
  if (::rmdir(lease_folder.c_str()) == 0) ::rmdir(lease_folder.parent_path().c_str());
}

}  // namespace trawl::storage::detail
