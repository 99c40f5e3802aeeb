#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/file_stamp.h"
#include "base/result.h"

namespace trawl::transfer::detail {

// Errc::no_space for a full disk or quota, Errc::unavailable ("io_error") for the rest.
[[nodiscard]] std::unexpected<Error> io_failure(std::string_view what, const std::filesystem::path& path,
                                                int error);

// "<name>.trawl", which becomes "<name>" when it is whole. All calls block.
class PartFile {
 public:
  PartFile(const std::filesystem::path& folder, const std::string& name);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  [[nodiscard]] const std::filesystem::path& target() const { return target_; }
  [[nodiscard]] const std::filesystem::path& journal() const { return journal_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

  // Opens it or makes an empty one; never follows a link.
  [[nodiscard]] Result<void> open();
  [[nodiscard]] Result<std::int64_t> size() const;
  [[nodiscard]] Result<FileStamp> stamp() const;
  [[nodiscard]] Result<void> resize(std::int64_t size);
  // Takes the disk space for `size` bytes. Does nothing where the file system cannot.
  [[nodiscard]] Result<void> reserve(std::int64_t size);
  [[nodiscard]] Result<void> write(std::int64_t offset, std::span<const char> bytes);
  [[nodiscard]] Result<void> sync();
  // Syncs it, gives it its name and removes the journal; all durable.
  [[nodiscard]] Result<void> publish();
  // Removes it and its journal: after a failed sync nobody knows what is on disk.
  void discard();

 private:
  std::filesystem::path folder_, path_, target_, journal_;
  int descriptor_ = -1;
};

}  // namespace trawl::transfer::detail
