#include "storage/detail/lease_folder.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "storage/detail/folder.h"

namespace trawl::storage::detail {

std::filesystem::path staging_folder(const std::filesystem::path& root, const LeaseName& lease) {
  return root / "staging" / fmt::format("{}.{}", lease.job.str(), lease.epoch);
}

std::filesystem::path content_folder(const LeaseName& lease) {
  return std::filesystem::path("content") / lease.job.str() / fmt::format("{}", lease.epoch);
}

std::optional<std::int64_t> parse_epoch(std::string_view text) {
  std::int64_t epoch = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (error != std::errc() || fmt::format("{}", epoch) != text || epoch < 0) return std::nullopt;
  return epoch;
}

std::optional<LeaseName> parse_staging_name(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto job = JobId::parse(name.substr(0, dot));
  const auto epoch = parse_epoch(name.substr(dot + 1));
  if (!job || job->str() != name.substr(0, dot) || !epoch) return std::nullopt;
  return LeaseName{*job, *epoch};
}

Result<std::vector<LeaseName>> list_staging(const std::filesystem::path& root) {
  const auto names = list_folder(root / "staging");
  if (!names) return fail(names.error());
  std::vector<LeaseName> out;
  for (const std::string& name : *names) {
    if (const auto lease = parse_staging_name(name)) out.push_back(*lease);
  }
  return out;
}

namespace {

// Passes over what is no file of the folder's own: a child may have left links to files of ours.
Result<void> copy_plain(const std::filesystem::path& from, const std::filesystem::path& to) {
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (source.get() < 0 || ::fstat(source.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink != 1)
    return {};
  std::error_code error;
  std::filesystem::copy_file(fmt::format("/proc/self/fd/{}", source.get()), to, error);
  if (error) return io_failure("copy a part file", from, error.value());
  return {};
}

// Copies the plain files of a folder, those that say how much of the others is there before the
// others: if somebody is still writing, a copy then holds at least what its journal says.
Result<void> copy_files(const std::filesystem::path& from, const std::filesystem::path& to) {
  const auto names = list_folder(from);
  if (!names) return fail(names.error());
  if (auto made = make_folder(to, 0700); !made) return made;
  const auto journal = [](const std::string& name) { return name.ends_with(".journal"); };
  for (const bool journals : {true, false}) {
    for (const std::string& name : *names) {
      if (journal(name) != journals) continue;
      if (auto copied = copy_plain(from / name, to / name); !copied) return copied;
    }
  }
  return {};
}

Result<void> take_over(const std::filesystem::path& from, const std::filesystem::path& to, TakeOver how) {
  if (how == TakeOver::move) {
    if (std::rename(from.c_str(), to.c_str()) != 0)
      return io_failure("take over the work folder", from, errno);
    return {};
  }
  if (auto copied = copy_files(from, to); !copied) return copied;
  remove_tree(from);
  return {};
}

}  // namespace

Result<void> take_over_staging(const std::filesystem::path& root, const LeaseName& lease, TakeOver how) {
  auto known = list_staging(root);
  if (!known) return fail(known.error());
  std::erase_if(*known, [&](const LeaseName& other) { return other.job != lease.job; });
  std::ranges::sort(*known, std::ranges::greater(), &LeaseName::epoch);
  if (!known->empty() && known->front().epoch > lease.epoch) {
    return fail(Errc::conflict,
                fmt::format("job {} has been handed out again: epoch {} is over, {} has begun",
                            lease.job.str(), lease.epoch, known->front().epoch));
  }
  const std::filesystem::path own = staging_folder(root, lease);
  failpoint("stage.before_take_over");
  if (!known->empty() && known->front() != lease) {
    if (auto taken = take_over(staging_folder(root, known->front()), own, how); !taken) return taken;
  }
  for (std::size_t i = 1; i < known->size(); ++i) remove_tree(staging_folder(root, (*known)[i]));
  failpoint("stage.after_take_over");
  return make_folder(own, 0700);
}

bool remove_tree(const std::filesystem::path& folder) {
  failpoint("stage.before_removal");
  std::error_code error;
  const auto removed = std::filesystem::remove_all(folder, error);
  if (!error) return removed > 0;
  log_warn("cannot remove a folder", {{"folder", folder.string()}, {"error", error.message()}});
  return false;
}

}  // namespace trawl::storage::detail
