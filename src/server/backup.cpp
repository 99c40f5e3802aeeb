#include "server/backup.h"

#include <iostream>

#include <fmt/format.h>

#include "base/bytes.h"
#include "db/backup.h"

namespace trawl::server {
namespace {

int refuse(const Error& error) {
  std::cerr << "trawl: " << error.message << std::endl;
  return cli::kExitFailed;
}

int not_ours(std::string_view tool) {
  std::cerr << "trawl: db.url is a PostgreSQL database: use " << tool
            << ", which does it while servers run\n";
  return cli::kExitUsage;
}

}  // namespace

int back_up(const cli::BackupOptions& options, const Config& config) {
  if (postgres_url(config.db.url)) return not_ours("pg_dump --format=custom --file=FILE URL");
  const auto made = db::back_up(sqlite_file(config.db.url), options.file);
  if (!made) return refuse(made.error());
  std::cout << fmt::format("{}: {}, schema {}\n", options.file.string(), to_text(ByteCount{made->bytes}),
                           made->schema);
  return cli::kExitDone;
}

int restore(const cli::RestoreOptions& options, const Config& config) {
  if (postgres_url(config.db.url)) return not_ours("pg_restore --clean --if-exists --dbname=URL FILE");
  const auto file = sqlite_file(config.db.url);
  const auto aside = db::restore(options.file, file);
  if (!aside) return refuse(aside.error());
  std::cout << fmt::format("{} is restored\n", file.string());
  if (!aside->empty()) std::cout << fmt::format("what was there before: {}\n", aside->string());
  return cli::kExitDone;
}

}  // namespace trawl::server
