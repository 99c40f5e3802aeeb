#include "transfer/resume.h"

#include <algorithm>
#include <charconv>

#include <curl/curl.h>
#include <fmt/format.h>

#include "base/text.h"
#include "net/url.h"

namespace trawl::transfer {
namespace {

std::optional<std::int64_t> read_number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  return out;
}

std::unexpected<Error> not_a_range(std::string_view text) {
  return fail(Errc::invalid, fmt::format("not a Content-Range: {}", to_valid_utf8(truncate_utf8(text, 100))));
}

std::unexpected<Error> refused(const Head& head) {
  const auto text = fmt::format("{} answers {}", net::redact_url(head.url), head.status);
  const bool later = !head.header("retry-after").empty();
  if (head.status == 429 || (head.status == 503 && later)) return fail(Errc::rate_limited, text, "rate_limited");
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
  const bool changed = (known.total && known.total != length) || !same_version(known.validator, validator_of(head));
  if (continues || changed || is_multipart(head)) return restart();
  return {.kind = Verdict::Kind::append,
          .end = length,
          .total = length,
          .ranges = to_lower(head.header("accept-ranges")) != "none"};
}

Verdict judge_part(std::optional<Span> asked, const Known& known, const Head& head) {
  const auto range = parse_content_range(head.header("content-range"));
  if (!asked || !range || !range->span || !range->total || is_multipart(head)) return restart();
  const Span span = *range->span;
  const auto length = read_number(head.header("content-length"));
  const bool covers = span.first <= asked->first && span.end > asked->first;
  const bool same = (!known.total || known.total == range->total) && same_version(known.validator, validator_of(head));
  if (!covers || !same || (length && *length != span.size())) return restart();
  return {.kind = Verdict::Kind::append,
          .skip = asked->first - span.first,
          .end = span.end,
          .total = range->total,
          .ranges = true};
}

Verdict judge_unsatisfiable(const Known& known, const Head& head) {
  const auto range = parse_content_range(head.header("content-range"));
  const bool whole = range && range->total && known.have > 0 && *range->total == known.have &&
                     (!known.total || *known.total == known.have);
  const bool proven = !known.validator.empty() && same_version(known.validator, validator_of(head));
  if (!whole || !proven) return restart();
  return {.kind = Verdict::Kind::complete, .total = range->total};
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

Result<ContentRange> parse_content_range(std::string_view text) {
  const auto whole = trim(text);
  constexpr std::string_view kUnit = "bytes ";
  if (to_lower(whole.substr(0, kUnit.size())) != kUnit) return not_a_range(text);
  const auto rest = whole.substr(kUnit.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return not_a_range(text);

  ContentRange out;
  const auto total = rest.substr(slash + 1);
  out.total = read_number(total);
  if (!out.total && total != "*") return not_a_range(text);
  const auto range = rest.substr(0, slash);
  if (range == "*") return out.total ? Result<ContentRange>(out) : not_a_range(text);
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) return not_a_range(text);
  const auto first = read_number(range.substr(0, dash));
  const auto last = read_number(range.substr(dash + 1));
  if (!first || !last || *last < *first || *last >= kToTheEnd - 1 || (out.total && *last >= *out.total)) {
    return not_a_range(text);
  }
  out.span = {*first, *last + 1};
  return out;
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
  if (const auto seconds = read_number(text)) return std::chrono::seconds(std::min<std::int64_t>(*seconds, 1 << 30));
  const auto date = ::curl_getdate(std::string(text).c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return std::max(std::chrono::sys_seconds(std::chrono::seconds(date)) - now, std::chrono::seconds(0));
}

bool worth_retrying(const Error& error) {
  return retryable(error.code) && error.code != Errc::no_space && error.reason != "origin_forbidden";
}

}  // namespace trawl::transfer
