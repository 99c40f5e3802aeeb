#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <iterator>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "storage/blobs.h"
#include "storage/detail/content.h"
#include "storage/detail/folder.h"
#include "storage/detail/lease_folder.h"
#include "storage/detail/lease_rows.h"
#include "storage/detail/publish.h"

namespace trawl::storage {
namespace {

constexpr std::size_t kJobsAtOnce = 64;

// Writes a file as publish() would, so that a read-only, full or split tree is noticed at the start.
Result<void> check_writable(const std::filesystem::path& root) {
  const std::filesystem::path staged = root / "staging" / ".write-check";
  const std::filesystem::path published = root / "content" / ".write-check";
  const detail::Descriptor file(
      ::open(staged.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return detail::io_failure("create", staged, errno);
  if (::write(file.get(), "ok", 2) != 2 || ::fsync(file.get()) != 0)
    return detail::io_failure("write", staged, errno);
  if (std::rename(staged.c_str(), published.c_str()) != 0) {
    if (errno != EXDEV) return detail::io_failure("publish", staged, errno);
    return fail(
        Errc::unavailable,
        fmt::format("{0}/staging and {0}/content lie on different file systems; files are published by "
                    "renaming, so both must be on one",
                    root.string()));
  }
  if (::unlink(published.c_str()) != 0) return detail::io_failure("remove", published, errno);
  return {};
}

Result<void> create_content(const std::filesystem::path& root) {
  if (auto made = detail::make_folder(root / "content", 0755); !made) return made;
  if (auto synced = detail::sync_folder(root); !synced) return synced;
  return check_writable(root);
}

Result<std::vector<detail::LeaseContent>> list_content(const std::filesystem::path& root,
                                                       std::span<const JobId> jobs) {
  std::vector<detail::LeaseContent> out;
  for (const JobId& job : jobs) {
    auto content = detail::list_content(root, job);
    if (!content) return fail(std::move(content.error()));
    std::ranges::move(*content, std::back_inserter(out));
  }
  return out;
}

std::size_t remove_all(const std::filesystem::path& root, const std::vector<detail::LeaseContent>& doomed) {
  std::size_t removed = 0;
  for (const detail::LeaseContent& content : doomed) {
    removed += detail::remove_content(root, content.locations);
    detail::remove_empty_folders(root / detail::content_folder(content.lease));
  }
  return removed;
}

Result<std::string> read_part(const std::filesystem::path& file, std::int64_t offset, std::int64_t length) {
  const detail::Descriptor in(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (in.get() < 0 && errno == ENOENT)
    return fail(Errc::not_found, fmt::format("there is no file {}", file.string()));
  if (in.get() < 0) return detail::io_failure("open", file, errno);
  std::string out(static_cast<std::size_t>(length), '\0');
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(in.get(), out.data() + done, out.size() - done,
                                static_cast<off_t>(offset + static_cast<std::int64_t>(done)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return detail::io_failure("read", file, errno);
    if (got == 0) return fail(Errc::conflict, fmt::format("{} has become shorter", file.string()));
    done += static_cast<std::size_t>(got);
  }
  return out;
}

Result<std::int64_t> size_of_file(const std::filesystem::path& file) {
  struct stat seen{};
  if (::lstat(file.c_str(), &seen) == 0) return std::int64_t{seen.st_size};
  if (errno == ENOENT) return fail(Errc::not_found, fmt::format("there is no file {}", file.string()));
  return detail::io_failure("look at", file, errno);
}

class DirectoryBlobs final : public Blobs {
 public:
  DirectoryBlobs(std::filesystem::path root, BlockingPool& files, db::Database& database)
      : root_(std::move(root)), files_(files), database_(database) {}

  Task<Result<void>> open() override {
    co_return co_await files_.run([this] { return create_content(root_); });
  }

  Task<Result<std::vector<PublishedFile>>> publish(LeaseName lease, std::filesystem::path folder,
                                                   std::vector<FileToPublish> files) override {
    co_return co_await files_.run([&] { return detail::publish_files(root_, folder, lease, files); });
  }

  // What lies in content/ says it itself.
  // A file is renamed as a whole.
  void grown(const LeaseName&, const std::filesystem::path&, const GrowingFile&, std::int64_t) override {}
  Task<void> forsake(LeaseName) override { co_return; }

  Result<void> disown(db::Transaction&, const std::vector<std::string>&) override { return {}; }

  Task<std::size_t> remove(std::vector<std::string> locations) override {
    co_return co_await files_.run([&] { return detail::remove_content(root_, locations); });
  }

  Task<Result<std::size_t>> sweep() override {
    const auto jobs = co_await files_.run([this] { return detail::list_content_jobs(root_); });
    if (!jobs) co_return fail(jobs.error());
    std::size_t removed = 0;
    for (std::size_t first = 0; first < jobs->size(); first += kJobsAtOnce) {
      const auto part = std::span(*jobs).subspan(first, std::min(kJobsAtOnce, jobs->size() - first));
      const auto found = co_await files_.run([this, part] { return list_content(root_, part); });
      if (!found) co_return fail(found.error());
      const auto doomed = co_await database_.read(
          [&found](db::Transaction& transaction) { return detail::unreferenced(transaction, *found); });
      if (!doomed) co_return fail(doomed.error());
      removed += co_await files_.run([this, &doomed] { return remove_all(root_, *doomed); });
    }
    co_return removed;
  }

  Task<Result<std::int64_t>> size_of(std::string location) override {
    co_return co_await files_.run([&] { return size_of_file(root_ / location); });
  }

  Task<Result<std::string>> read(std::string location, std::int64_t offset, std::int64_t length) override {
    co_return co_await files_.run([&] { return read_part(root_ / location, offset, length); });
  }

  Task<Result<std::optional<std::string>>> address(Delivery) override { co_return std::nullopt; }

  std::optional<std::filesystem::path> file(const std::string& location) const override {
    return root_ / location;
  }

 private:
  const std::filesystem::path root_;
  BlockingPool& files_;
  db::Database& database_;
};

}  // namespace

std::unique_ptr<Blobs> make_directory_blobs(std::filesystem::path root, BlockingPool& files,
                                            db::Database& database) {
  return std::make_unique<DirectoryBlobs>(std::filesystem::absolute(std::move(root)), files, database);
}

}  // namespace trawl::storage
