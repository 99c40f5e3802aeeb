#include "storage/detail/growing_object.h"

#include <optional>
#include <sys/stat.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "s3/upload.h"
#include "storage/detail/staged_file.h"

namespace trawl::storage::detail {
namespace {

bool are_same(const Descriptor& one, const Descriptor& other) {
  struct stat first{}, second{};
  return ::fstat(one.get(), &first) == 0 && ::fstat(other.get(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

}  // namespace

// One upload of the file, from its beginning.
struct GrowingObject::Sending {
  Sending(s3::Objects& objects, const std::string& location)
      : upload(objects, location, objects.part_bytes()) {}

  s3::Upload upload;
  std::optional<Descriptor> file;
  bool sent = false;  // Every part.
};

GrowingObject::GrowingObject(Tools tools, LeaseName lease, std::filesystem::path folder, GrowingFile file)
    : tools_(tools),
      lease_(lease),
      folder_(std::move(folder)),
      file_(std::move(file)),
      location_(location_of(lease_, file_.name)),
      tasks_(tools.objects.executor()) {}

void GrowingObject::grown(std::int64_t bytes) {
  if (bytes < bytes_) give_up();
  bytes_ = bytes;
  if (!sending_ && tools_.objects.is_large(bytes)) {
    sending_ = std::make_shared<Sending>(tools_.objects, location_);
    tasks_.spawn("send a growing file", send(sending_));
  }
  if (sending_) sending_->upload.grow(bytes);
}

void GrowingObject::give_up() {
  if (sending_) sending_->upload.stop();
  sending_.reset();
}

Task<void> GrowingObject::send(std::shared_ptr<Sending> sending) {
  auto sent = co_await begin(*sending);
  if (sent) sent = co_await sending->upload.send();
  sending->sent = sent.has_value();
  if (sent) co_return;
  log_debug("a file is not sent while it grows", {{"file", location_}, {"error", sent.error().message}});
  co_await abort(*sending);
}

Task<Result<void>> GrowingObject::begin(Sending& sending) {
  const std::filesystem::path shown = folder_ / file_.unfinished;
  auto opened = co_await tools_.files.run([&]() -> Result<Descriptor> {
    const auto folder = open_folder(folder_);
    if (!folder) return fail(folder.error());
    return open_staged(*folder, file_.unfinished, shown);
  });
  if (!opened) co_return fail(std::move(opened.error()));
  sending.file.emplace(std::move(*opened));
  if (auto noted = co_await tools_.ledger.note(lease_, {location_}); !noted) co_return noted;
  failpoint("objects.growing_noted");
  auto upload = co_await sending.upload.begin(sending.file->get(), file_.mime_type);
  if (!upload) co_return fail(std::move(upload.error()));
  co_return co_await tools_.ledger.name(location_, std::move(*upload));
}

Task<bool> GrowingObject::finish(const Descriptor& file, std::int64_t size, std::string mime_type) {
  const auto sending = std::move(sending_);
  if (!sending) co_return false;
  if (size < bytes_ || mime_type != file_.mime_type || (sending->file && !are_same(*sending->file, file)))
    sending->upload.stop();
  else
    sending->upload.end(size);
  co_await tasks_.join();
  if (!sending->sent || !are_same(*sending->file, file)) co_return false;
  const auto made = co_await sending->upload.complete();
  if (made) {
    co_await tools_.objects.abort_others(location_);
    co_return true;
  }
  log_debug("a file that was sent while it grew is sent again",
            {{"file", location_}, {"error", made.error().message}});
  co_await abort(*sending);
  co_return false;
}

Task<void> GrowingObject::abort(Sending& sending) {
  if (auto aborted = co_await sending.upload.abort(); !aborted)
    log_warn("an upload could not be aborted; it is tried again", {{"error", aborted.error().message}});
}

Task<void> GrowingObject::end() {
  give_up();
  co_await tasks_.join();
}

}  // namespace trawl::storage::detail
