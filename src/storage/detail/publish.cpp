#include "storage/detail/publish.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <future>
#include <unistd.h>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "storage/detail/folder.h"
#include "storage/detail/staged_file.h"

namespace trawl::storage::detail {
namespace {

Result<PublishedFile> make_durable(const Descriptor& folder, const FileToPublish& source,
                                   const std::filesystem::path& shown) {
  const auto file = open_staged(folder, source.name, shown);
  if (!file) return fail(file.error());
  auto out = known_digest(*file, source.digest);
  if (auto taken = take_back(*file, shown); !taken) return fail(std::move(taken.error()));
  failpoint("publish.before_file_sync");
  // The disk works while the processor does.
  auto synced = std::async(out ? std::launch::deferred : std::launch::async,
                           [&] { return ::fsync(file->get()) == 0 ? 0 : errno; });
  auto hashed = out ? Result<PublishedFile>(std::move(*out)) : hash_file(*file, shown);
  if (const int error = synced.get(); error != 0) {
    // The kernel may have dropped the pages it could not write: what is there now cannot be trusted.
    ::unlinkat(folder.get(), source.name.c_str(), 0);
    return io_failure("sync", shown, error);
  }
  failpoint("publish.after_file_sync");
  return hashed;
}

Result<Descriptor> try_make_content_folder(const std::filesystem::path& folder) {
  for (const auto& level : {folder.parent_path(), folder}) {
    if (const auto made = make_folder(level, 0755); !made) return fail(made.error());
  }
  return open_folder(folder);
}

// A sweep may remove the job's folder while it is still empty; then it is made again.
Result<Descriptor> make_content_folder(const std::filesystem::path& folder) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (auto made = try_make_content_folder(folder)) return made;
  }
  return try_make_content_folder(folder);
}

Result<void> rename_all(const Descriptor& from, const Descriptor& to, const std::vector<FileToPublish>& files,
                        const std::filesystem::path& shown) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    failpoint("publish.before_rename");
    const char* name = files[i].name.c_str();
    if (::renameat(from.get(), name, to.get(), name) == 0) continue;
    const int error = errno;
    for (std::size_t k = 0; k < i; ++k) {
      const std::string& moved = files[k].name;
      if (::renameat(to.get(), moved.c_str(), from.get(), moved.c_str()) == 0) continue;
      log_warn("cannot take a file back into its work folder", {{"file", moved}});
    }
    return io_failure("publish", shown / name, error);
  }
  return {};
}

// From the inside out: the files' names, then the names of the folders that lead to them.
Result<void> sync_folders(const std::filesystem::path& root, const LeaseName& lease) {
  const std::filesystem::path folder = root / content_folder(lease);
  for (const auto& level : {folder, folder.parent_path(), root / "content"}) {
    if (auto synced = sync_folder(level); !synced) return synced;
  }
  return {};
}

}  // namespace

Result<std::vector<PublishedFile>> publish_files(const std::filesystem::path& root,
                                                 const std::filesystem::path& staging, const LeaseName& lease,
                                                 const std::vector<FileToPublish>& files) {
  const auto from = open_folder(staging);
  if (!from) return fail(from.error());
  std::vector<PublishedFile> out;
  for (const FileToPublish& source : files) {
    auto file = make_durable(*from, source, staging / source.name);
    if (!file) return fail(std::move(file.error()));
    out.push_back(std::move(*file));
  }
  const auto to = make_content_folder(root / content_folder(lease));
  if (!to) return fail(to.error());
  if (const auto moved = rename_all(*from, *to, files, staging); !moved) return fail(moved.error());
  failpoint("publish.after_rename");
  if (const auto synced = sync_folders(root, lease); !synced) return fail(synced.error());
  failpoint("publish.after_folder_sync");
  return out;
}

}  // namespace trawl::storage::detail
