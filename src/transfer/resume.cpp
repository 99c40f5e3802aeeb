#include "transfer/resume.h"

#include <algorithm>
#include <charconv>
#include <curl/curl.h>

#include <fmt/format.h>

#include "base/text.h"
#include "net/url.h"
#include "transfer/content_range.h"

namespace trawl::transfer {
namespace {

std::optional<std::int64_t> read_number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  return out;
}

std::unexpected<Error> refused(const Head& head) {
  const auto text = fmt::format("{} answers {}", net::redact_url(head.url), head.status);
  const bool later = !head.header("retry-after").empty();
  if (head.status == 429 || (head.status == 503 && later))
    return fail(Errc::rate_limited, text, "rate_limited");
  if (head.status == 401 || head.status == 403) return fail(Errc::unavailable, text, "origin_forbidden");
  if (head.status == 404 || head.status == 410) return fail(Errc::not_found, text, "not_found");
  return fail(Errc::unavailable, text, "origin_error");
}

bool is_multipart(const Head& head) {
  return to_lower(head.header("content-type")).starts_with("multipart/byteranges");
}

// A validator that is missing proves nothing, so it does not match.
bool same_version(const Validator& known, const Validator& now) {
  if (!known.etag.empty()) return known.etag == now.etag;
  return known.last_modified.empty() || known.last_modified == now.last_modified;
}

Verdict restart() {
  return {.kind = Verdict::Kind::restart};
}

Verdict judge_whole(std::optional<Span> asked, const Known& known, const Head& head) {
  const auto length = read_number(head.header("content-length"));
  const bool continues = known.have > 0 || (asked && asked->first > 0);
  const bool changed =
      (known.total && known.total != length) || !same_version(known.validator, validator_of(head));
  if (continues || changed || is_multipart(head)) return restart();
  return {.kind = Verdict::Kind::append,
          .end = length,
          .total = length,
          .ranges = to_lower(head.header("accept-ranges")) != "none"};
}

Verdict judge_part(std::optional<Span> asked, const Known& known, const Head& head) {
  const auto range = parse_content_range(head.header("content-range"));
  if (!asked || !range || !range->total || is_multipart(head)) return restart();
  const Span span{range->first, range->last + 1};
  const auto length = read_number(head.header("content-length"));
  const bool covers = span.first <= asked->first && span.end > asked->first;
  const bool same =
      (!known.total || known.total == range->total) && same_version(known.validator, validator_of(head));
  if (!covers || !same || (length && *length != span.size())) return restart();
  return {.kind = Verdict::Kind::append,
          .skip = asked->first - span.first,
          .end = span.end,
          .total = range->total,
          .ranges = true};
}

Verdict judge_unsatisfiable(const Known& known, const Head& head) {
  const auto total = parse_unsatisfied_range(head.header("content-range"));
  const bool whole =
      total && known.have > 0 && *total == known.have && (!known.total || *known.total == known.have);
  const bool proven = !known.validator.empty() && same_version(known.validator, validator_of(head));
  if (!whole || !proven) return restart();
  return {.kind = Verdict::Kind::complete, .total = total};
}

}  // namespace

std::optional<std::string> Validator::condition() const {
  if (!etag.empty()) return etag;
  if (!last_modified.empty()) return last_modified;
  return std::nullopt;
}

Validator validator_of(const Head& head) {
  Validator out;
  const auto etag = head.header("etag");
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) out.etag = etag;
  out.last_modified = head.header("last-modified");
  return out;
}

std::optional<std::int64_t> parse_unsatisfied_range(std::string_view text) {
  constexpr std::string_view kNone = "bytes */";
  if (!text.starts_with(kNone)) return std::nullopt;
  return read_number(text.substr(kNone.size()));
}

Result<Verdict> judge_answer(std::optional<Span> asked, const Known& known, const Head& head) {
  switch (head.status) {
    case 200:
      return judge_whole(asked, known, head);
    case 206:
      return judge_part(asked, known, head);
    case 304:
      return restart();
    case 416:
      return judge_unsatisfiable(known, head);
    default:
      return refused(head);
  }
}

std::optional<std::chrono::seconds> retry_after(const Head& head, std::chrono::sys_seconds now) {
  const auto text = trim(head.header("retry-after"));
  if (text.empty()) return std::nullopt;
  if (const auto seconds = read_number(text))
    return std::chrono::seconds(std::min<std::int64_t>(*seconds, 1 << 30));
  const auto date = ::curl_getdate(std::string(text).c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return std::max(std::chrono::sys_seconds(std::chrono::seconds(date)) - now, std::chrono::seconds(0));
}

std::optional<std::chrono::seconds> retry_after(const Head& head) {
  return retry_after(head, std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
}

bool worth_retrying(const Error& error) {
  return retryable(error.code) && error.code != Errc::no_space && error.reason != "origin_forbidden" &&
         error.reason != kHostBusy;
}

}  // namespace trawl::transfer
