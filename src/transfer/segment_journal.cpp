#include "transfer/segment_journal.h"

#include <fmt/format.h>

#include "base/sha256.h"

namespace trawl::transfer {
namespace {

constexpr std::size_t kMaxJournal = 4096;
constexpr std::int64_t kVersion = 1;

// With its length in front, so that no two lists of texts are written alike.
void add(Sha256& hash, std::string_view text) {
  const std::string length = fmt::format("{}:", text.size());
  hash.update(length);
  hash.update(text);
}

}  // namespace

std::string digest_of(const media::Part& part) {
  Sha256 hash;
  for (const media::Segment& segment : part.segments) {
    add(hash, segment.url);
    add(hash, segment.range ? fmt::format("{}-{}", segment.range->first, segment.range->last) : "");
    add(hash, segment.key);
    add(hash, segment.key_url);
    add(hash, segment.iv);
  }
  return hash.finish();
}

std::optional<SegmentJournal> parse_segment_journal(std::string_view text) {
  if (text.size() > kMaxJournal) return std::nullopt;
  const auto document = parse_json(text);
  if (!document) return std::nullopt;
  auto journal = decode<SegmentJournal>(*document);
  if (!journal || journal->version != kVersion || journal->next < 0 || journal->offset < 0)
    return std::nullopt;
  if (journal->next == 0 && journal->offset != 0) return std::nullopt;
  if (journal->hashed < 0 || journal->hashed > journal->offset) return std::nullopt;
  return std::move(*journal);
}

std::string to_text(const SegmentJournal& journal) {
  return json::serialize(encode(journal));
}

SegmentJournal plan_segment_resume(const media::Part& part, std::string_view journal, std::int64_t size) {
  SegmentJournal start{.version = kVersion, .list = digest_of(part), .next = 0, .offset = 0};
  const auto found = parse_segment_journal(journal);
  if (!found || found->list != start.list) return start;
  if (found->next > static_cast<std::int64_t>(part.segments.size()) || found->offset > size) return start;
  return *found;
}

}  // namespace trawl::transfer
