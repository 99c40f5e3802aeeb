#include "server/engine_command.h"

#include <iostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "async/run.h"
#include "base/json.h"
#include "server/egress_config.h"
#include "server/engine_options.h"
#include "server/update_options.h"
#include "updates/updater.h"

namespace trawl::server {
namespace {

// What the command needs of a server, for as long as it runs.
class Workshop {
 public:
  Workshop(asio::any_io_executor executor, const Config& config)
      : policy_(egress_rules(config.policy)),
        files_(1),
        proxy_(net::make_egress_proxy(executor, policy_, {})),
        client_(transfer::make_http_client(executor, policy_, client_limits(config.transfer))),
        installed_(engine::make_engine(executor, engine_options(config))),
        updater_(executor, *client_, *proxy_, files_, clock_, shelf_of(config), updater_options(config)) {}

  Task<Result<updates::State>> run(cli::EngineCommand command) {
    if (auto started = co_await proxy_->start(); !started) co_return fail(started.error());
    client_->start();
    auto state = co_await act(command);
    client_->close();
    co_await proxy_->stop();
    files_.join();
    co_return state;
  }

 private:
  Task<Result<updates::State>> act(const cli::EngineCommand& command) {
    if (command.action == "rollback") co_return co_await updater_.rollback("somebody asked for it");
    if (command.action == "check") {
      if (const auto release = co_await updater_.check(); !release) co_return fail(release.error());
    }
    if (command.action != "update") co_return updater_.shelf().read();
    const auto state = updater_.shelf().read();
    if (!state) co_return state;
    std::string running = state->current;
    if (running.empty()) running = co_await installed_version();
    co_return co_await updater_.update(std::move(running), command.force);
  }

  // Empty when there is none, so that any release is newer.
  Task<std::string> installed_version() {
    const auto started = co_await installed_->start();
    const std::string version = started ? installed_->versions().ytdlp : "";
    co_await installed_->stop();
    co_return version;
  }

  SystemClock clock_;
  net::EgressPolicy policy_;
  BlockingPool files_;
  std::unique_ptr<net::EgressProxy> proxy_;
  std::unique_ptr<transfer::HttpClient> client_;
  std::unique_ptr<engine::Engine> installed_;
  updates::Updater updater_;
};

void print(const updates::State& state) {
  const auto or_installed = [](const std::string& version) {
    return version.empty() ? "as installed" : version;
  };
  std::cout << fmt::format("in use    {}\nbefore    {}\n", or_installed(state.current),
                           or_installed(state.previous));
  if (!state.latest.empty()) std::cout << fmt::format("offered   {}\n", state.latest);
  if (!state.bad.empty()) std::cout << fmt::format("bad       {}\n", fmt::join(state.bad, ", "));
  if (!state.why.empty()) std::cout << fmt::format("why       {}\n", state.why);
  std::cout << std::flush;
}

}  // namespace

int engine_command(const cli::EngineCommand& command, const Config& config) {
  asio::io_context context(1);
  Workshop workshop(context.get_executor(), config);
  const auto state = run_to_end(context, workshop.run(command));
  if (!state) {
    std::cerr << fmt::format("trawl: {} ({})\n", state.error().message, state.error().reason);
    return cli::kExitFailed;
  }
  if (command.json)
    std::cout << json::serialize(encode(*state)) << std::endl;
  else
    print(*state);
  return cli::kExitDone;
}

}  // namespace trawl::server
