#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include <boost/asio/async_result.hpp>
#include <fmt/format.h>

#include "db/database.h"
#include "db/detail/group_commit.h"
#include "db/detail/lock_file.h"
#include "db/detail/reserve_file.h"
#include "db/detail/sqlite_connection.h"
#include "db/detail/work_thread.h"
#include "db/migrations.h"

namespace trawl::db {
namespace {

using detail::LockFile;
using detail::ReserveFile;
using detail::SqliteConnection;
using detail::Submission;
using detail::WorkThreads;

constexpr std::size_t kGroupSize = 64;

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(LockFile lock, const std::filesystem::path& reserve, SqliteConnection writing,
                 SqliteConnection reading, const asio::any_io_executor& loop, const Clock* clock)
      : lock_(std::move(lock)),
        reserve_(reserve),
        clock_(clock ? *clock : system_clock_),
        writing_(std::move(writing)),
        reading_(std::move(reading)),
        reader_(1, one_thread([this, loop](std::vector<Submission> group) {
                  detail::read_each(reading_, group, clock_);
                  detail::deliver(loop, std::move(group));
                })),
        writer_(kGroupSize, one_thread([this, loop](std::vector<Submission> group) {
                  write(group);
                  detail::deliver(loop, std::move(group));
                })) {}

  bool short_of_space() const override { return reserve_.given_up(); }

  void close() override {
    writer_.close();
    reader_.close();
  }

 protected:
  Task<std::optional<Error>> run(Work work, Mode mode) override {
    WorkThreads& thread = mode == Mode::write ? writer_ : reader_;
    asio::executor_work_guard<asio::any_io_executor> caller(co_await asio::this_coro::executor);
    co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(std::optional<Error>)>(
        [&thread, &work, &caller](auto handler) {
          thread.submit(
              {.work = std::move(work), .handler = std::move(handler), .caller = std::move(caller)});
        },
        asio::use_awaitable);
  }

 private:
  static std::vector<WorkThreads::RunGroup> one_thread(WorkThreads::RunGroup run) {
    std::vector<WorkThreads::RunGroup> out;
    out.push_back(std::move(run));
    return out;
  }

  // On the writer's thread. A quota is only met by running into it; what failed then may be tried again.
  void write(std::span<Submission> group) {
    reserve_.adjust();
    detail::commit_together(writing_, group, clock_);
    const auto found_full = [](const Submission& work) {
      return work.failure && work.failure->code == Errc::no_space;
    };
    if (std::ranges::any_of(group, found_full)) reserve_.give_up();
  }

  LockFile lock_;  // Given up last.
  ReserveFile reserve_;
  SystemClock system_clock_;
  const Clock& clock_;
  SqliteConnection writing_;
  SqliteConnection reading_;
  WorkThreads reader_;
  WorkThreads writer_;
};

Result<void> create_folder_of(const std::filesystem::path& file) {
  if (!file.has_parent_path()) return {};
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (!error) return {};
  return fail(error == std::errc::no_space_on_device ? Errc::no_space : Errc::unavailable,
              fmt::format("cannot create {}: {}", file.parent_path().string(), error.message()));
}

// SQLite would create it readable for everybody; its WAL takes over the mode of the file. Only with
// the lock held: closing any descriptor of the file drops SQLite's own locks in this process.
Result<void> create_private(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    const Errc code = errno == ENOSPC || errno == EDQUOT ? Errc::no_space : Errc::unavailable;
    return fail(code, fmt::format("cannot open the database {}: {}", file.string(), std::strerror(errno)));
  }
  ::close(descriptor);
  return {};
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const std::filesystem::path& file, asio::any_io_executor loop,
                                              const Clock* clock) {
  if (const auto created = create_folder_of(file); !created) return fail(created.error());
  auto lock = LockFile::acquire(file.string() + ".lock");
  if (!lock) return fail(lock.error());
  if (const auto created = create_private(file); !created) return fail(created.error());
  auto writing = SqliteConnection::open(file, SqliteConnection::Access::read_write);
  if (!writing) return fail(writing.error());
  if (const auto migrated = migrate(*writing, migrations()); !migrated) return fail(migrated.error());
  auto reading = SqliteConnection::open(file, SqliteConnection::Access::read_only);
  if (!reading) return fail(reading.error());
  return std::make_unique<SqliteDatabase>(std::move(*lock),
                                          std::filesystem::absolute(file).string() + ".reserve",
                                          std::move(*writing), std::move(*reading), loop, clock);
}

}  // namespace trawl::db
