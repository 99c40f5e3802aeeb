#include "downloads/uploads.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "async/scope.h"
#include "base/log.h"
#include "downloads/content.h"
#include "http/static_file.h"
#include "storage/path.h"

namespace trawl::downloads {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBlock = 1 << 20;
constexpr auto kLease = 120s;  // Renewed while bytes arrive, far more often than every minute.

// The file in a work folder, open for writing.
class Target {
 public:
  explicit Target(const std::filesystem::path& file)
      : descriptor_(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) {}
  ~Target() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  // Blocks.
  Result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        const bool full = errno == ENOSPC || errno == EDQUOT;
        return fail(full ? Errc::no_space : Errc::internal,
                    fmt::format("cannot store the upload: {}", std::generic_category().message(errno)),
                    full ? "disk_full" : "");
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

 private:
  int descriptor_;
};

std::int64_t millis(SystemTime time) {
  return time.time_since_epoch().count();
}

std::string extension_of(const std::string& path) {
  const std::string dotted = std::filesystem::path(path).extension().string();
  return dotted.empty() ? "" : to_lower(dotted.substr(1));
}

Result<media::Kind> kind_of(std::string_view mime_type, const std::string& path) {
  const std::string named = http::mime_type_of(path);
  for (const std::string_view type : {mime_type, std::string_view(named)}) {
    if (type.starts_with("video/")) return media::Kind::video;
    if (type.starts_with("audio/")) return media::Kind::audio;
    if (type.starts_with("image/")) return media::Kind::thumbnail;
  }
  constexpr std::string_view kTexts[] = {"srt", "vtt", "ass", "ssa", "lrc", "txt", "ttml", "sbv"};
  if (std::ranges::find(kTexts, extension_of(path)) != std::end(kTexts)) return media::Kind::subtitle;
  return fail(Errc::unsupported,
              fmt::format("{} is not stored here: only video, sound, pictures and subtitles are", mime_type),
              "unsupported_type");
}

// What is at `file`, to be stored as `path`, with the extension that fits it. Blocks.
Result<storage::Staged> examine(const std::filesystem::path& file, std::string path) {
  const auto mime_type = sniff(file);
  if (!mime_type) return fail(mime_type.error());
  const auto kind = kind_of(*mime_type, path);
  if (!kind) return fail(kind.error());
  const auto extension = fitting_extension(*kind, extension_of(path), *mime_type);
  if (!extension) return fail(extension.error());
  const std::string own = std::filesystem::path(path).extension().string();
  if (extension_of(path) != *extension) path = path.substr(0, path.size() - own.size()) + "." + *extension;
  storage::Staged staged{.name = file.filename().string(), .path = path, .kind = *kind};
  staged.mime_type = http::mime_type_of(path);
  return staged;
}

}  // namespace

Task<Result<storage::Artifact>> Uploads::receive(std::string owner, std::string path, Source source) {
  if (auto fine = storage::check_path(path); !fine)
    co_return fail(Errc::invalid, "path " + fine.error().message, "validation_error");
  const JobId id = JobId::make(clock_.now());
  const auto begun = co_await database_.write([id, owner](db::Transaction& transaction) -> Result<void> {
    const SystemTime now = transaction.now();
    const auto added = transaction.execute(
        "INSERT INTO uploads (id, tenant, lease_until, created_at) VALUES ($1, $2, $3, $4)",
        {id.str(), owner, millis(now + kLease), millis(now)});
    if (!added) return fail(added.error());
    return {};
  });
  if (!begun) co_return fail(begun.error());
  auto stored = co_await store(id, std::move(owner), std::move(path), std::move(source));
  co_await storage_.discard_stage(id);
  if (!stored) {
    // What was published already has no row; without this one the sweep takes it.
    const auto forgotten = co_await database_.write([id](db::Transaction& transaction) {
      return transaction.execute("DELETE FROM uploads WHERE id = $1", {id.str()});
    });
    if (!forgotten) log_warn("an upload that failed is left to the sweep", {{"upload", id.str()}});
  }
  co_return stored;
}

Task<Result<storage::Artifact>> Uploads::store(JobId id, std::string owner, std::string path, Source source) {
  const auto most = co_await room(owner);
  if (!most) co_return fail(most.error());
  const auto folder = co_await storage_.stage(id, storage::kUploadEpoch);
  if (!folder) co_return fail(folder.error());
  const std::filesystem::path file = *folder / "upload";
  if (auto written = co_await write_file(id, file, *most, std::move(source)); !written)
    co_return fail(written.error());
  const auto staged = co_await files_.run([&] { return examine(file, std::move(path)); });
  if (!staged) co_return fail(staged.error());

  std::optional<SystemTime> expires_at;
  if (limits_.retention) expires_at = clock_.now() + *limits_.retention;
  auto published = co_await publish(id, *staged, expires_at);
  if (!published) co_return fail(published.error());
  co_return co_await database_.write([id, owner, artifacts = std::move(*published)](
                                         db::Transaction& transaction) mutable -> Result<storage::Artifact> {
    const auto kept = transaction.execute("UPDATE uploads SET lease_until = 0 WHERE id = $1", {id.str()});
    if (!kept) return fail(kept.error());
    if (*kept == 0) return fail(Errc::unavailable, "the upload took too long and was swept");
    if (auto recorded = storage::ArtifactStore::record(transaction, artifacts); !recorded)
      return fail(recorded.error());
    if (auto counted = access::Quotas::count_bytes(transaction, owner, artifacts.front().size); !counted)
      return fail(counted.error());
    return artifacts.front();
  });
}

// Sending a large file to a bucket takes longer than the lease, and so may the syncing of one.
Task<Result<std::vector<storage::Artifact>>> Uploads::publish(JobId id, storage::Staged file,
                                                              std::optional<SystemTime> expires_at) {
  // The keeper works with what is in this frame, so it is waited for whatever happens to the caller.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  Scope keeping(co_await asio::this_coro::executor);
  keeping.spawn("keep an upload", keep(id));
  auto published = co_await storage_.publish(id, storage::kUploadEpoch, {std::move(file)}, expires_at);
  co_await keeping.close();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return published;
}

Task<void> Uploads::keep(JobId id) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (true) {
    timer.expires_after(kLease / 4);
    co_await timer.async_wait(asio::use_awaitable);
    // Whether the upload is still known is asked again when it is recorded.
    if (const auto renewed = co_await renew(id); !renewed)
      log_warn("an upload could not be kept", {{"upload", id.str()}, {"error", renewed.error().message}});
  }
}

// How many bytes `owner` may bring now.
Task<Result<std::int64_t>> Uploads::room(std::string owner) {
  std::int64_t most = limits_.max_bytes;
  const auto available = co_await storage_.available();
  if (!available) co_return fail(available.error());
  if (*available <= limits_.low_disk_bytes)
    co_return fail(Errc::no_space, "the disk is full; uploads are accepted again when there is room",
                   "disk_full");
  if (owner.empty()) co_return most;
  access::Quotas quotas(database_);
  const auto report = co_await quotas.report(owner);
  if (!report) co_return fail(report.error());
  for (const access::Used* used : {&report->day, &report->month}) {
    if (!used->bytes_limit) continue;
    const std::int64_t left = *used->bytes_limit - used->bytes;
    if (left <= 0)
      co_return fail(
          Errc::rate_limited,
          fmt::format("this key may store {} bytes in {}; all are used", *used->bytes_limit, used->period),
          "quota_exceeded");
    most = std::min(most, left);
  }
  co_return most;
}

Task<Result<void>> Uploads::renew(JobId id) {
  co_return co_await database_.write([id](db::Transaction& transaction) -> Result<void> {
    const auto set = transaction.execute("UPDATE uploads SET lease_until = $1 WHERE id = $2",
                                         {millis(transaction.now() + kLease), id.str()});
    if (!set) return fail(set.error());
    if (*set == 0) return fail(Errc::internal, "the upload is not known any more");
    return {};
  });
}

Task<Result<void>> Uploads::write_file(JobId id, std::filesystem::path file, std::int64_t most,
                                       Source source) {
  Target target(file);
  std::string block;
  std::int64_t size = 0;
  SystemTime renewed = clock_.now();
  while (true) {
    const auto piece = co_await source();
    if (!piece) co_return fail(piece.error());
    if (*piece) block += **piece;
    size += *piece ? std::ssize(**piece) : 0;
    if (size > most)
      co_return fail(size > limits_.max_bytes ? Errc::too_large : Errc::rate_limited,
                     fmt::format("the file is larger than the {} bytes that are allowed", most),
                     size > limits_.max_bytes ? "too_large" : "quota_exceeded");
    if (clock_.now() - renewed >= kLease / 4) {
      renewed = clock_.now();
      if (auto set = co_await renew(id); !set) co_return set;
    }
    if (block.size() < kBlock && *piece) continue;
    const auto available = co_await storage_.available();
    if (!available) co_return fail(available.error());
    if (*available < limits_.low_disk_bytes + std::ssize(block))
      co_return fail(Errc::no_space, "the disk has no room for the file", "disk_full");
    auto written = co_await files_.run([&] { return target.write(block); });
    if (!written || !*piece) co_return written;
    block.clear();
  }
}

}  // namespace trawl::downloads
