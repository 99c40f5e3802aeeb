#include "storage/object_blobs.h"

#include <cerrno>
#include <map>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

#include "aws/presign.h"
#include "base/failpoint.h"
#include "base/id.h"
#include "base/log.h"
#include "base/sha256.h"
#include "storage/detail/growing_object.h"
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
  bool as_it_came = false;  // Nothing has touched it since it was moved here.
};

Result<OpenFile> open_file(const std::filesystem::path& folder, const FileToPublish& source) {
  const auto opened = detail::open_folder(folder);
  if (!opened) return fail(opened.error());
  const std::filesystem::path shown = folder / source.name;
  auto file = detail::open_staged(*opened, source.name, shown);
  if (!file) return fail(std::move(file.error()));
  auto facts = detail::known_digest(*file, source.digest);
  const bool as_it_came = facts.has_value();
  if (auto taken = detail::take_back(*file, shown); !taken) return fail(std::move(taken.error()));
  auto hashed = facts ? Result<PublishedFile>(std::move(*facts)) : detail::hash_file(*file, shown);
  if (!hashed) return fail(std::move(hashed.error()));
  return OpenFile{std::move(*file), std::move(*hashed), as_it_came};
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
              const Clock& clock, SendFrom from)
      : objects_(objects),
        delivery_(std::move(delivery)),
        files_(files),
        ledger_(database, clock),
        clock_(clock),
        from_(from) {}

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
    std::vector<std::string> locations;
    for (const FileToPublish& file : files) locations.push_back(location_of(lease, file.name));
    auto noted = co_await ledger_.note(lease, locations);
    if (!noted) co_return fail(std::move(noted.error()));
    failpoint("objects.noted");
    std::vector<PublishedFile> out;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (auto sent = co_await send(locations[i], opened[i], files[i].mime_type); !sent)
        co_return fail(std::move(sent.error()));
      out.push_back(std::move(opened[i].facts));
    }
    co_return out;
  }

  void grown(const LeaseName& lease, const std::filesystem::path& folder, const GrowingFile& file,
             std::int64_t bytes) override {
    std::string location = location_of(lease, file.name);
    auto growing = growing_.find(location);
    if (growing == growing_.end()) {
      if (from_ == SendFrom::whole_file || !objects_.is_large(bytes)) return;
      const detail::GrowingObject::Tools tools{objects_, files_, ledger_};
      growing = growing_
                    .emplace(std::move(location),
                             std::make_unique<detail::GrowingObject>(tools, lease, folder, file))
                    .first;
    }
    growing->second->grown(bytes);
  }

  Task<void> forsake(LeaseName lease) override {
    const std::string folder = location_of(lease, "");
    for (auto it = growing_.lower_bound(folder); it != growing_.end() && it->first.starts_with(folder);
         it = growing_.lower_bound(folder)) {
      const auto growing = std::move(growing_.extract(it).mapped());
      co_await growing->end();
    }
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
      if (gone) gone = co_await ledger_.forget(std::move(location));
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
      const auto rows = co_await ledger_.written(after, kRowsAtOnce);
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

  Task<Result<void>> send(std::string location, const OpenFile& file, std::string mime_type) {
    if (co_await send_rest(location, file, mime_type)) co_return co_await ledger_.name(location, "");
    const s3::Content content = content_of(file, std::move(mime_type));
    if (!objects_.is_large(content.size)) {
      auto put = co_await objects_.put(location, content);
      if (put && growing_.contains(location)) co_await objects_.abort_others(location);
      co_return put;
    }
    auto sent = co_await objects_.put_in_parts(
        location, content, [this, location](std::string upload) { return ledger_.name(location, upload); });
    if (sent) sent = co_await ledger_.name(location, "");
    co_return sent;
  }

  // Of a file that was sent while it was written. False: it has to be sent as a whole.
  Task<bool> send_rest(std::string location, const OpenFile& file, std::string mime_type) {
    const auto growing = growing_.find(location);
    if (growing == growing_.end() || !file.as_it_came) co_return false;
    co_return co_await growing->second->finish(file.file, file.facts.size, std::move(mime_type));
  }

  // Says whether something was removed.
  Task<Result<bool>> settle(const Written& written) {
    if (written.fate == Fate::wait) co_return false;
    if (written.fate == Fate::remove) {
      if (auto aborted = co_await objects_.abort_uploads(written.location); !aborted)
        co_return fail(std::move(aborted.error()));
      if (auto gone = co_await objects_.remove(written.location); !gone)
        co_return fail(std::move(gone.error()));
      // It is looked at for some time more.
      if (!written.given_up) {
        if (auto noted = co_await ledger_.give_up(written.location); !noted)
          co_return fail(std::move(noted.error()));
        co_return true;
      }
      if (written.noted_at + kLateRequests > clock_.now()) co_return false;
    }
    if (auto gone = co_await ledger_.forget(written.location); !gone) co_return fail(std::move(gone.error()));
    co_return false;
  }

  s3::Objects& objects_;
  const ObjectDelivery delivery_;
  BlockingPool& files_;
  detail::UploadLedger ledger_;
  const Clock& clock_;
  const SendFrom from_;
  std::map<std::string, std::unique_ptr<detail::GrowingObject>> growing_;  // By their locations.
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
                                         db::Database& database, const Clock& clock, SendFrom from) {
  return std::make_unique<ObjectBlobs>(objects, std::move(delivery), files, database, clock, from);
}

}  // namespace trawl::storage
