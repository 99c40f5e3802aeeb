#include "db/backup.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "db/detail/lock_file.h"
#include "db/migrations.h"

namespace trawl::db {
namespace {

namespace fs = std::filesystem;

struct Close {
  void operator()(sqlite3* handle) const { sqlite3_close(handle); }
};
using Handle = std::unique_ptr<sqlite3, Close>;

std::unexpected<Error> sqlite_failure(int code, sqlite3* handle, std::string_view what) {
  const int kind = code & 0xff;
  const bool damaged = kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB;
  return fail(kind == SQLITE_FULL ? Errc::no_space
              : damaged           ? Errc::invalid
                                  : Errc::unavailable,
              fmt::format("cannot {}: {}", what, handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code)));
}

std::unexpected<Error> system_failure(std::string_view what, const fs::path& path) {
  const int error = errno;
  return fail(error == ENOSPC || error == EDQUOT ? Errc::no_space : Errc::unavailable,
              fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error)));
}

Result<Handle> open(const fs::path& file, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Handle handle(raw);
  if (code != SQLITE_OK) return sqlite_failure(code, raw, "open " + file.string());
  sqlite3_busy_timeout(raw, 10'000);
  return handle;
}

// The first column of the first row.
Result<std::string> ask(sqlite3* handle, const char* sql, const fs::path& file) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(handle, sql, -1, &statement, nullptr);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owned(statement, sqlite3_finalize);
  if (code == SQLITE_OK) code = sqlite3_step(statement);
  if (code != SQLITE_ROW) return sqlite_failure(code, handle, "read " + file.string());
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  return std::string(text ? text : "");
}

// Checks that the file is a whole database of this program; gives its schema.
Result<int> examine(const fs::path& file) {
  const auto handle = open(file, SQLITE_OPEN_READONLY);
  if (!handle) return fail(handle.error());
  const auto sound = ask(handle->get(), "PRAGMA integrity_check(1)", file);
  if (!sound) return fail(sound.error());
  if (*sound != "ok") return fail(Errc::invalid, fmt::format("{} is damaged: {}", file.string(), *sound));
  const auto version = ask(handle->get(), "SELECT MAX(version) FROM schema_version", file);
  if (!version || version->empty())
    return fail(Errc::invalid, fmt::format("{} is no database of Trawl", file.string()));
  const int schema = std::stoi(*version);
  if (const auto known = pending_migrations(migrations(), schema); !known) return fail(known.error());
  return schema;
}

// In one step: the pages of one moment, while others go on writing.
Result<void> copy_pages(const fs::path& from, const fs::path& to) {
  const auto source = open(from, SQLITE_OPEN_READONLY);
  if (!source) return fail(source.error());
  const auto target = open(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!target) return fail(target.error());
  sqlite3_backup* backup = sqlite3_backup_init(target->get(), "main", source->get(), "main");
  if (!backup) return sqlite_failure(sqlite3_errcode(target->get()), target->get(), "copy the database");
  const int stepped = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (stepped != SQLITE_DONE || finished != SQLITE_OK)
    return sqlite_failure(stepped != SQLITE_DONE ? stepped : finished, target->get(),
                          "copy the database to " + to.string());
  return {};
}

Result<void> sync(const fs::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return system_failure("open", path);
  const int synced = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  errno = error;
  if (synced != 0) return system_failure("sync", path);
  return {};
}

// A file beside `target` that becomes it, or goes.
class Draft {
 public:
  explicit Draft(const fs::path& target)
      : target_(fs::absolute(target)), path_(fmt::format("{}.{}.part", target_.string(), ::getpid())) {}
  ~Draft() {
    for (const auto* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((path_.string() + suffix).c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  // Empty and readable by its owner only, before anything is in it.
  [[nodiscard]] Result<void> create() const {
    const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0) return system_failure("create", path_);
    ::close(descriptor);
    return {};
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] Result<void> finish() const {
    if (auto synced = sync(path_, O_RDONLY); !synced) return synced;
    if (::rename(path_.c_str(), target_.c_str()) != 0) return system_failure("rename", path_);
    return sync(target_.parent_path(), O_RDONLY | O_DIRECTORY);
  }

 private:
  fs::path target_, path_;
};

// Moves the database and what belongs to it out of the way.
Result<fs::path> set_aside(const fs::path& database) {
  if (!fs::exists(database)) return fs::path();
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const fs::path aside = fmt::format("{}.before-restore-{:%Y%m%dT%H%M%SZ}", database.string(), now);
  // The log first: should this be cut off, the database is still there, only without its newest pages.
  for (const std::string suffix : {"", "-wal"}) {
    const std::string from = database.string() + suffix;
    if (::rename(from.c_str(), (aside.string() + suffix).c_str()) != 0 && errno != ENOENT)
      return system_failure("set aside", from);
  }
  ::unlink((database.string() + "-shm").c_str());
  return aside;
}

}  // namespace

Result<BackupFacts> back_up(const fs::path& database, const fs::path& target) {
  std::error_code ignored;
  if (!fs::exists(database, ignored))
    return fail(Errc::not_found, fmt::format("there is no database {}", database.string()));
  if (fs::exists(target, ignored))
    return fail(Errc::conflict, fmt::format("{} exists already", target.string()));
  const Draft draft(target);
  if (auto created = draft.create(); !created) return fail(std::move(created.error()));
  if (auto copied = copy_pages(database, draft.path()); !copied) return fail(std::move(copied.error()));
  const auto schema = examine(draft.path());
  if (!schema) return fail(schema.error());
  const auto bytes = static_cast<std::int64_t>(fs::file_size(draft.path(), ignored));
  if (auto finished = draft.finish(); !finished) return fail(std::move(finished.error()));
  return BackupFacts{.bytes = bytes, .schema = *schema};
}

Result<fs::path> restore(const fs::path& backup, const fs::path& database) {
  std::error_code ignored;
  if (!fs::is_regular_file(backup, ignored))
    return fail(Errc::not_found, fmt::format("there is no file {}", backup.string()));
  const auto lock = detail::LockFile::acquire(database.string() + ".lock");
  if (!lock) return fail(lock.error());
  const Draft draft(database);
  if (auto created = draft.create(); !created) return fail(std::move(created.error()));
  if (auto copied = copy_pages(backup, draft.path()); !copied) return fail(std::move(copied.error()));
  if (const auto schema = examine(draft.path()); !schema) return fail(schema.error());
  auto aside = set_aside(database);
  if (!aside) return aside;
  if (auto finished = draft.finish(); !finished) return fail(std::move(finished.error()));
  return aside;
}

}  // namespace trawl::db
