#include "downloads/metadata.h"

#include <cmath>

namespace trawl::downloads {
namespace {

void take(const json::value& value, std::optional<std::string>& out) {
  if (const auto* text = value.if_string()) out = std::string(*text);
}
void take(const json::value& value, std::optional<double>& out) {
  if (value.is_number()) out = value.to_number<double>();
}
void take(const json::value& value, std::optional<std::int64_t>& out) {
  if (const auto* number = value.if_int64())
    out = *number;
  else if (const auto* real = value.if_double(); real && std::abs(*real) < 9e15)
    out = std::llround(*real);
}
void take(const json::value& value, std::vector<std::string>& out) {
  const auto* array = value.if_array();
  if (!array) return;
  for (const json::value& item : *array) {
    if (const auto* text = item.if_string()) out.emplace_back(*text);
  }
}

}  // namespace

VideoMetadata read_metadata(const json::object& info) {
  VideoMetadata metadata;
  boost::mp11::mp_for_each<Members<VideoMetadata>>([&](auto member) {
    if (const json::value* value = info.if_contains(member.name)) take(*value, metadata.*member.pointer);
  });
  return metadata;
}

}  // namespace trawl::downloads
