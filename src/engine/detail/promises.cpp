#include "engine/detail/promises.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace trawl::engine {
namespace {

bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

std::size_t weight(const media::Part& part) {
  std::size_t bytes = sizeof part + part.url.size() + part.segments.size() * sizeof(media::Segment);
  for (const auto& segment : part.segments) bytes += segment.url.size() + segment.key_url.size();
  for (const auto& [name, value] : part.headers) bytes += 100 + name.size() + value.size();
  for (const auto& cookie : part.cookies) bytes += sizeof cookie + cookie.name.size() + cookie.value.size();
  return bytes;
}

}  // namespace

Result<void> Promises::add(Promise promise) {
  media::Part& part = promise.part;
  if (closed_) return fail(Errc::internal, "a promise after the last one");
  bytes_ += weight(part);
  if (bytes_ > kMaxBytes) return fail(Errc::internal, "more promises than the server takes");
  if (open_) {
    if (part.name != parts_.back().name)
      return fail(Errc::internal, fmt::format("the promise of {} is not whole", parts_.back().name));
    std::ranges::move(part.segments, std::back_inserter(parts_.back().segments));
  } else {
    if (!is_file_name(part.name))
      return fail(Errc::internal, fmt::format("a promise of {:?}, which is no file name", part.name));
    if (!names_.insert(part.name).second)
      return fail(Errc::internal, fmt::format("{} is promised twice", part.name));
    if (parts_.size() == kMaxParts) return fail(Errc::internal, "more promises than the server takes");
    if (part.url.empty() == part.segments.empty())
      return fail(Errc::internal, fmt::format("the promise of {} has no way to it", part.name));
    parts_.push_back(std::move(part));
  }
  open_ = promise.more;
  return {};
}

Result<void> Promises::close() {
  if (closed_ || open_ || parts_.empty())
    return fail(Errc::internal, "the end of promises that are not whole");
  closed_ = complete_ = true;
  return {};
}

std::vector<media::Part> Promises::take() {
  complete_ = false;
  return std::exchange(parts_, {});
}

}  // namespace trawl::engine
