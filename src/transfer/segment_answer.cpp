#include "transfer/segment_answer.h"

#include <algorithm>
#include <charconv>
#include <string>

#include <fmt/format.h>

#include "transfer/content_range.h"

namespace trawl::transfer {
namespace {

Result<Slice> judge_status(const Head& head) {
  const std::string message = fmt::format("the origin answered {} for a segment", head.status);
  switch (head.status) {
    case 401:
    case 403:
      return fail(Errc::unavailable, message, "origin_forbidden");
    case 404:
    case 410:
      return fail(Errc::not_found, message, "not_found");
    case 429:
      return fail(Errc::rate_limited, message);
    default:
      return fail(Errc::unavailable, message, "origin_error");
  }
}

std::optional<std::int64_t> content_length(const Head& head) {
  const std::string_view text = head.header("content-length");
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || out < 0)
    return std::nullopt;
  return out;
}

Result<Slice> cut_from_whole(const media::ByteRange& range, const Head& head) {
  const auto size = content_length(head);
  if (size && *size <= range.last) {
    return fail(Errc::unavailable,
                fmt::format("a segment ends at {}, its resource at {}", range.last, *size - 1), "truncated");
  }
  return Slice{.skip = range.first, .length = range.last - range.first + 1, .then_end = true};
}

Result<Slice> accept_range(const media::ByteRange& range, const Head& head) {
  const auto got = parse_content_range(head.header("content-range"));
  const std::int64_t length = range.last - range.first + 1;
  const auto announced = content_length(head);
  if (!got || got->first != range.first || got->last != range.last || (announced && *announced != length)) {
    return fail(
        Errc::unavailable,
        fmt::format("asked for bytes {}-{} of a segment's resource, got {}", range.first, range.last,
                    head.header("content-range").empty() ? "no Content-Range" : head.header("content-range")),
        "wrong_range");
  }
  return Slice{.length = length};
}

}  // namespace

Result<Slice> judge_segment_answer(const std::optional<media::ByteRange>& range, const Head& head) {
  if (range && head.status == 206) return accept_range(*range, head);
  if (range && head.status == 200) return cut_from_whole(*range, head);
  if (head.status == 200) return Slice{.length = content_length(head)};
  return judge_status(head);
}

bool worth_a_retry(const Error& error, int attempt) {
  if (error.code == Errc::no_space || error.reason == "io_error" || error.reason == kHostBusy) return false;
  if (error.reason == "origin_forbidden" || error.reason == "not_found") return attempt <= 1;
  return retryable(error.code);
}

}  // namespace trawl::transfer
