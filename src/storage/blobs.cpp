#include "storage/blobs.h"

#include "base/text.h"
#include "storage/detail/lease_folder.h"

namespace trawl::storage {

std::string location_of(const LeaseName& lease, const std::string& name) {
  return (detail::content_folder(lease) / name).native();
}

std::optional<LeaseName> lease_of(std::string_view location) {
  const auto parts = split(location, '/');
  if (parts.size() != 4 || parts[0] != "content" || parts[3].empty()) return std::nullopt;
  const auto job = JobId::parse(parts[1]);
  const auto epoch = detail::parse_epoch(parts[2]);
  if (!job || !epoch) return std::nullopt;
  return LeaseName{*job, *epoch};
}

}  // namespace trawl::storage
