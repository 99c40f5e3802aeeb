#include "testing/postgres_server.h"

#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <libpq-fe.h>
#include <optional>
#include <spawn.h>
#include <stdexcept>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "base/id.h"

extern char** environ;

namespace trawl {
namespace {

using namespace std::chrono_literals;

// Shared by all checkouts of this user: the databases in it are not.
std::filesystem::path shared_folder() {
  return std::filesystem::temp_directory_path() / fmt::format("trawl-test-postgres-{}", ::getuid());
}

int open_lock(const std::filesystem::path& file, int how) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0 || ::flock(descriptor, how) != 0)
    throw std::runtime_error("cannot lock " + file.string());
  return descriptor;
}

std::optional<std::string> read_url(const std::filesystem::path& folder) {
  std::ifstream file(folder / "url");
  std::string url;
  if (!std::getline(file, url) || url.empty()) return std::nullopt;
  return url;
}

void start_keeper(const std::filesystem::path& folder) {
  // A session of its own: it serves other tests after this one has ended.
  const std::string script = TRAWL_POSTGRES_KEEPER, where = folder.string(), log = (folder / "log").string();
  const char* arguments[] = {"/usr/bin/python3", script.c_str(), "keep", where.c_str(), nullptr};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, arguments[0], &files, &attributes, const_cast<char**>(arguments), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) throw std::runtime_error("cannot start " + script);
}

// What the server said, or nothing when it did as it was told; an empty statement only connects.
std::string complaint(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url.c_str()), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) return PQerrorMessage(connection.get());
  const std::unique_ptr<PGresult, void (*)(PGresult*)> done(PQexec(connection.get(), sql.c_str()), PQclear);
  const auto status = PQresultStatus(done.get());
  return status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY ? "" : PQresultErrorMessage(done.get());
}

// Holds the shared lock until the process ends.
std::string server_url() {
  const std::filesystem::path folder = shared_folder();
  std::filesystem::create_directories(folder);
  const int starting = open_lock(folder / "starting", LOCK_EX);
  open_lock(folder / "users", LOCK_SH);
  auto url = read_url(folder);
  if (url && !complaint(*url, "").empty()) {
    std::filesystem::remove(folder / "url");  // Of a keeper that was killed.
    std::filesystem::remove_all(folder / "server");
    url.reset();
  }
  if (!url) start_keeper(folder);
  for (int i = 0; !url && i < 600; ++i) {
    std::this_thread::sleep_for(100ms);
    url = read_url(folder);
  }
  ::close(starting);
  if (!url) throw std::runtime_error("no PostgreSQL server: see " + (folder / "log").string());
  return *url;
}

}  // namespace

std::string new_postgres_database() {
  static const std::string server = server_url();
  const std::string name = "t" + random_hex(8);
  if (const std::string refused = complaint(server, "CREATE DATABASE " + name); !refused.empty())
    throw std::runtime_error(refused);
  return server.substr(0, server.rfind('/') + 1) + name;
}

}  // namespace trawl
