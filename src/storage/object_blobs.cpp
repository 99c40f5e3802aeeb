#include "storage/object_blobs.h"

#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

#include "aws/presign.h"
#include "base/failpoint.h"
#include "base/id.h"
#include "base/log.h"
#include "base/sha256.h"
#include "storage/detail/staged_file.h"
#include "storage/detail/upload_ledger.h"

namespace trawl::storage {
namespace {

using detail::Fate;
using detail::Written;

constexpr std::int64_t kRowsAtOnce = 100;
// A holder that was frozen may still send a request that it began before its lease was over.
constexpr std::chrono::minutes kLateRequests{15};

struct OpenFile {
  detail::Descriptor file;
  PublishedFile facts;
};

Result<OpenFile> open_file(const std::filesystem::path& folder, const FileToPublish& source) {
  const auto opened = detail::open_folder(folder);
  if (!opened) return fail(opened.error());
  const std::filesystem::path shown = folder / source.name;
  auto file = detail::open_staged(*opened, source.name, shown);
  if (!file) return fail(std::move(file.error()));
  auto facts = detail::known_digest(*file, source.digest);
  if (auto taken = detail::take_back(*file, shown); !taken) return fail(std::move(taken.error()));
  auto hashed = facts ? Result<PublishedFile>(std::move(*facts)) : detail::hash_file(*file, shown);
  if (!hashed) return fail(std::move(hashed.error()));
  return OpenFile{std::move(*file), std::move(*hashed)};
}

// A small file that is on no disk.
Result<OpenFile> make_probe() {
  constexpr std::string_view kText = "ok";
  detail::Descriptor file(::memfd_create("write-check", MFD_CLOEXEC));
  if (file.get() < 0 || ::write(file.get(), kText.data(), kText.size()) != std::ssize(kText))
    return detail::io_failure("make", "write-check", errno);
  return OpenFile{std::move(file), {.size = std::ssize(kText), .sha256 = sha256_hex(kText)}};
}

class ObjectBlobs final : public Blobs {
 public:
  ObjectBlobs(s3::Objects& objects, ObjectDelivery delivery, BlockingPool& files, db::Database& database,
              const Clock& clock)
      : objects_(objects),
        delivery_(std::move(delivery)),
        files_(files),
        database_(database),
        clock_(clock) {}

  // Writes, reads and deletes, as later work will.
  Task<Result<void>> open() override {
    auto done = co_await probe("write-check-" + random_hex(8));
    if (done) co_return done;
    done.error().message += fmt::format(" (bucket {}{})", objects_.bucket().origin, objects_.bucket().root);
    co_return done;
  }

  Task<Result<std::vector<PublishedFile>>> publish(LeaseName lease, std::filesystem::path folder,
                                                   std::vector<FileToPublish> files) override {
    std::vector<OpenFile> opened;
    for (const FileToPublish& source : files) {
      auto file = co_await files_.run([&] { return open_file(folder, source); });
      if (!file) co_return fail(std::move(file.error()));
      opened.push_back(std::move(*file));
    }
    auto noted = co_await note(lease, files);
    if (!noted) co_return fail(std::move(noted.error()));
    failpoint("objects.noted");
    std::vector<PublishedFile> out;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (auto sent = co_await send(location_of(lease, files[i].name), opened[i], files[i].mime_type); !sent)
        co_return fail(std::move(sent.error()));
      out.push_back(std::move(opened[i].facts));
    }
    co_return out;
  }

  Result<void> disown(db::Transaction& transaction, const std::vector<std::string>& locations) override {
    for (const std::string& location : locations) {
      if (auto noted = detail::note_unused(transaction, location, clock_.now()); !noted) return noted;
    }
    return {};
  }

  Task<std::size_t> remove(std::vector<std::string> locations) override {
    std::size_t removed = 0;
    for (std::string& location : locations) {
      auto gone = co_await objects_.remove(location);
      if (gone) gone = co_await forget(std::move(location));
      if (gone)
        ++removed;
      else
        log_warn("a stored file could not be deleted; it is tried again", {{"error", gone.error().message}});
    }
    co_return removed;
  }

  Task<Result<std::size_t>> sweep() override {
    std::size_t removed = 0;
    std::string after;
    while (true) {
      const auto rows = co_await database_.read([&after](db::Transaction& transaction) {
        return detail::written_after(transaction, after, kRowsAtOnce);
      });
      if (!rows) co_return fail(rows.error());
      for (const Written& written : *rows) {
        const auto swept = co_await settle(written);
        if (!swept) co_return fail(swept.error());
        removed += *swept ? 1 : 0;
      }
      if (std::ssize(*rows) < kRowsAtOnce) co_return removed;
      after = rows->back().location;
    }
  }

  Task<Result<std::int64_t>> size_of(std::string location) override {
    return objects_.size_of(std::move(location));
  }

  Task<Result<std::string>> read(std::string location, std::int64_t offset, std::int64_t length) override {
    return objects_.read(std::move(location), offset, length);
  }

  Task<Result<std::optional<std::string>>> address(Delivery delivery) override {
    if (!delivery_.address) co_return std::nullopt;
    const auto keys = co_await objects_.keys();
    if (!keys) co_return fail(keys.error());
    auto out = delivery_.address(delivery, *keys);
    if (!out) co_return fail(std::move(out.error()));
    co_return std::move(*out);
  }

  std::optional<std::filesystem::path> file(const std::string&) const override { return std::nullopt; }

 private:
  Task<Result<void>> probe(std::string key) {
    const auto file = make_probe();
    if (!file) co_return fail(file.error());
    if (auto put = co_await objects_.put(key, content_of(*file, "text/plain")); !put) co_return put;
    const auto back = co_await objects_.read(key, 0, file->facts.size);
    if (!back) co_return fail(back.error());
    co_return co_await objects_.remove(key);
  }

  static s3::Content content_of(const OpenFile& file, std::string mime_type) {
    return {.descriptor = file.file.get(),
            .size = file.facts.size,
            .sha256 = file.facts.sha256,
            .mime_type = std::move(mime_type)};
  }

  Task<Result<void>> note(LeaseName lease, const std::vector<FileToPublish>& files) {
    co_return co_await database_.write([&, now = clock_.now()](db::Transaction& transaction) -> Result<void> {
      for (const FileToPublish& file : files) {
        auto noted = detail::note_write(transaction, location_of(lease, file.name), lease, now);
        if (!noted) return noted;
      }
      return {};
    });
  }

  Task<Result<void>> send(std::string location, const OpenFile& file, std::string mime_type) {
    const s3::Content content = content_of(file, std::move(mime_type));
    if (!objects_.is_large(content.size)) co_return co_await objects_.put(location, content);
    auto sent = co_await objects_.put_in_parts(
        location, content, [this, location](std::string upload) { return name_upload(location, upload); });
    if (sent) sent = co_await name_upload(location, "");
    co_return sent;
  }

  Task<Result<void>> name_upload(std::string location, std::string upload) {
    co_return co_await database_.write(
        [&](db::Transaction& transaction) { return detail::name_upload(transaction, location, upload); });
  }

  Task<Result<void>> forget(std::string location) {
    co_return co_await database_.write(
        [&](db::Transaction& transaction) { return detail::forget_write(transaction, location); });
  }

  // It is looked at for some time more.
  Task<Result<bool>> give_up(std::string location) {
    const auto noted = co_await database_.write([&, now = clock_.now()](db::Transaction& transaction) {
      return detail::note_unused(transaction, location, now);
    });
    if (!noted) co_return fail(noted.error());
    co_return true;
  }

  // Says whether something was removed.
  Task<Result<bool>> settle(const Written& written) {
    if (written.fate == Fate::wait) co_return false;
    if (written.fate == Fate::remove) {
      if (auto aborted = co_await objects_.abort_uploads(written.location); !aborted)
        co_return fail(std::move(aborted.error()));
      if (auto gone = co_await objects_.remove(written.location); !gone)
        co_return fail(std::move(gone.error()));
      if (!written.given_up) co_return co_await give_up(written.location);
      if (written.noted_at + kLateRequests > clock_.now()) co_return false;
    }
    if (auto gone = co_await forget(written.location); !gone) co_return fail(std::move(gone.error()));
    co_return false;
  }

  s3::Objects& objects_;
  const ObjectDelivery delivery_;
  BlockingPool& files_;
  db::Database& database_;
  const Clock& clock_;
};

}  // namespace

ObjectDelivery::Address presigned(const s3::Bucket& bucket, std::chrono::seconds lifetime,
                                  const Clock& clock) {
  return [bucket, lifetime, &clock](const Delivery& delivery, const aws::Keys& keys) -> Result<std::string> {
    return aws::presigned_url({.origin = bucket.origin,
                               .path = s3::path_of(bucket, delivery.location),
                               .query = {{"response-cache-control", "private"},
                                         {"response-content-disposition", delivery.disposition},
                                         {"response-content-type", delivery.mime_type}},
                               .region = bucket.region,
                               .lifetime = lifetime},
                              keys, clock.now());
  };
}

std::unique_ptr<Blobs> make_object_blobs(s3::Objects& objects, ObjectDelivery delivery, BlockingPool& files,
                                         db::Database& database, const Clock& clock) {
  return std::make_unique<ObjectBlobs>(objects, std::move(delivery), files, database, clock);
}

}  // namespace trawl::storage
