// Many transfers at once in one process, as a worker makes them, into a folder that must exist.
//
//   many_transfers COUNT FOLDER CA_FILE URL     prints seconds, CPU seconds, bytes and the largest RSS

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>

#include <fmt/format.h>

#include "async/run.h"
#include "async/scope.h"
#include "transfer/http_client.h"
#include "transfer/mover.h"

namespace trawl::transfer {
namespace {

struct Tally {
  std::size_t failed = 0;
  std::int64_t bytes = 0;
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

Task<void> move_one(Mover& mover, std::string url, std::filesystem::path folder, Tally& tally) {
  std::filesystem::create_directory(folder);
  media::Progress last;
  const auto moved = co_await mover.move(
      {{.name = "media.mp4", .url = std::move(url), .digest = true}}, folder, {.connections = 1},
      {.on_progress = [&](const media::Progress& now) { last = now; }}, Stop());
  if (!moved) fmt::print(stderr, "{}\n", moved.error().message);
  if (!moved) ++tally.failed;
  tally.bytes += last.downloaded_bytes;
}

Task<void> move_all(Mover& mover, std::size_t count, std::string url, std::filesystem::path folder,
                    Tally& tally) {
  Scope scope(co_await asio::this_coro::executor);
  for (std::size_t i = 0; i < count; ++i)
    scope.spawn("move", move_one(mover, url, folder / std::to_string(i), tally));
  co_await scope.join();
}

int run(std::size_t count, const std::filesystem::path& folder, std::string ca_file, std::string url) {
  asio::io_context context(1);
  BlockingPool files(2);
  const net::EgressPolicy policy({.allow_private_networks = true});
  const auto client =
      make_http_client(context.get_executor(), policy,
                       {.connections = count, .connections_per_host = count, .ca_file = std::move(ca_file)});
  client->start();
  Mover mover(*client, files);
  Tally tally;
  const auto began = std::chrono::steady_clock::now();
  run_to_end(context, move_all(mover, count, std::move(url), folder, tally));
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  client->close();
  files.join();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("{:.2f} {:.2f} {} {}\n", wall.count(), seconds(usage.ru_utime) + seconds(usage.ru_stime),
             tally.bytes, usage.ru_maxrss);
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace trawl::transfer

int main(int count, char** arguments) {
  if (count != 5) {
    fmt::print(stderr, "usage: many_transfers COUNT FOLDER CA_FILE URL\n");
    return 2;
  }
  return trawl::transfer::run(std::strtoull(arguments[1], nullptr, 10), arguments[2], arguments[3],
                              arguments[4]);
}
