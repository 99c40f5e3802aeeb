#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "base/result.h"

namespace trawl::storage::detail {

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor();

  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

// "cannot <what> <path>: <system's words>"; no_space for a full disk or quota, else unavailable.
[[nodiscard]] std::unexpected<Error> io_failure(std::string_view what, const std::filesystem::path& path,
                                                int error);

// Never through a symbolic link.
[[nodiscard]] Result<Descriptor> open_folder(const std::filesystem::path& folder);

// Creates one level; a folder that exists already is fine, anything else in its place is not.
[[nodiscard]] Result<void> make_folder(const std::filesystem::path& folder, mode_t mode);

// Makes the names in `folder` durable.
[[nodiscard]] Result<void> sync_folder(const std::filesystem::path& folder);

// The names in `folder`, without order; none when there is no such folder.
[[nodiscard]] Result<std::vector<std::string>> list_folder(const std::filesystem::path& folder);

}  // namespace trawl::storage::detail
