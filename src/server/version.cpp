#include "server/version.h"

#include <iostream>

#include <fmt/format.h>

#include "async/run.h"
#include "base/json.h"
#include "engine/engine.h"
#include "server/engine_options.h"

namespace trawl::server {
namespace {

Task<Result<engine::Versions>> ask_engine(asio::any_io_executor executor, engine::EngineOptions options) {
  const auto engine = engine::make_engine(executor, std::move(options));
  const auto started = co_await engine->start();
  const engine::Versions versions = engine->versions();
  co_await engine->stop();
  if (!started) co_return fail(started.error());
  co_return versions;
}

}  // namespace

int print_version(const cli::VersionOptions& options, const Config& config) {
  asio::io_context context(1);
  const auto versions = run_to_end(context, ask_engine(context.get_executor(), engine_options(config)));
  if (options.json) {
    json::object out{{"version", TRAWL_VERSION},
                     {"engine", versions ? encode(*versions) : json::value(nullptr)}};
    if (!versions) out["engine_error"] = versions.error().message;
    std::cout << json::serialize(out) << std::endl;
    return cli::kExitDone;
  }
  std::cout << fmt::format("trawl {}\n", TRAWL_VERSION);
  if (versions)
    std::cout << fmt::format("yt-dlp {}\npython {}\nffmpeg {}\n", versions->ytdlp, versions->python,
                             versions->ffmpeg.empty() ? "none" : versions->ffmpeg);
  else
    std::cout << fmt::format("engine: {}\n", versions.error().message);
  std::cout << std::flush;
  return cli::kExitDone;
}

}  // namespace trawl::server
