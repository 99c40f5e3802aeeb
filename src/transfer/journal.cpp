#include "transfer/journal.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/json.h"
#include "transfer/detail/part_file.h"

namespace trawl::transfer {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::uintmax_t kLargest = 1024 * 1024;

// As it stands in the file.
struct Stored {
  std::int64_t version = 0;
  std::optional<std::int64_t> total;
  std::string etag;
  std::string last_modified;
  std::vector<std::vector<std::int64_t>> done;  // First byte and the one after the last.
  std::int64_t hashed = 0;                      // Bytes from the beginning on, and the state of
  std::string sha256_state;                     // their hash; empty if there is none.
};
BOOST_DESCRIBE_STRUCT(Stored, (), (version, total, etag, last_modified, done, hashed, sha256_state))

std::unexpected<Error> damaged() {
  return fail(Errc::invalid, "the journal of a part file is damaged");
}

Result<void> write_all(int descriptor, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t size = ::write(descriptor, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return detail::io_failure("write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  failpoint("journal.before_sync");
  if (::fdatasync(descriptor) != 0) return detail::io_failure("sync", path, errno);
  return {};
}

}  // namespace

std::string to_text(const Journal& journal) {
  Stored out{.version = kVersion,
             .total = journal.total,
             .etag = journal.validator.etag,
             .last_modified = journal.validator.last_modified,
             .done = {},
             .hashed = journal.hash.bytes()};
  for (const Span& span : journal.done.list()) out.done.push_back({span.first, span.end});
  if (out.hashed > 0) out.sha256_state = journal.hash.state();
  return json::serialize(encode(out));
}

Result<Journal> parse_journal(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return damaged();
  auto stored = decode_own<Stored>(*value, "journal");
  if (!stored || stored->version != kVersion || (stored->total && *stored->total < 0)) return damaged();
  Journal out{
      .total = stored->total, .validator = {stored->etag, stored->last_modified}, .done = {}, .hash = {}};
  std::int64_t at = -1;
  for (const auto& pair : stored->done) {
    if (pair.size() != 2 || pair[0] <= at || pair[1] <= pair[0] || pair[0] < 0) return damaged();
    at = pair[1];
    if (out.total && at > *out.total) return damaged();
    out.done.add({pair[0], pair[1]});
  }
  if (stored->hashed > 0 && out.done.covers({0, stored->hashed}))
    out.hash = PrefixHash::resume(stored->sha256_state, stored->hashed);
  return out;
}

Result<void> save_journal(const std::filesystem::path& path, const Journal& journal) {
  const std::filesystem::path fresh = path.native() + ".new";
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor < 0) return detail::io_failure("open", fresh, errno);
  const auto written = write_all(descriptor, to_text(journal), fresh);
  ::close(descriptor);
  if (!written) {
    ::unlink(fresh.c_str());
    return fail(written.error());
  }
  failpoint("journal.before_rename");
  if (::rename(fresh.c_str(), path.c_str()) != 0) return detail::io_failure("rename", fresh, errno);
  failpoint("journal.after_rename");
  return {};
}

Result<Journal> load_journal(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fail(Errc::not_found, "there is no journal");
  if (size > kLargest) return damaged();
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) return fail(Errc::not_found, "the journal cannot be read");
  return parse_journal(text);
}

}  // namespace trawl::transfer
