#include "server/get.h"

#include <csignal>
#include <fcntl.h>
#include <iostream>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "async/run.h"
#include "base/log.h"
#include "cli/progress_view.h"
#include "server/app.h"
#include "server/environment.h"
#include "server/get_request.h"

namespace trawl::server {
namespace {

using namespace std::chrono_literals;

// Moves `file` into `folder` under its own name, or "name (1).ext" and so on when that is taken;
// never replaces anything. Both are on one file system.
Result<std::filesystem::path> move_without_replacing(const std::filesystem::path& file,
                                                     const std::filesystem::path& folder,
                                                     const std::string& name) {
  const std::filesystem::path wished = name;
  for (int n = 0; n < 10'000; ++n) {
    const auto target =
        folder /
        (n == 0 ? name : fmt::format("{} ({}){}", wished.stem().string(), n, wished.extension().string()));
    if (renameat2(AT_FDCWD, file.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0)
      return std::filesystem::absolute(target).lexically_normal();
    if (errno == EEXIST) continue;
    const int cause = errno;
    if (cause != EINVAL)
      return fail(Errc::unavailable, fmt::format("cannot move {} to {}: {}", file.string(), target.string(),
                                                 std::generic_category().message(cause)));
    // A file system without RENAME_NOREPLACE: a hard link refuses to replace as well.
    if (link(file.c_str(), target.c_str()) == 0)
      return unlink(file.c_str()), std::filesystem::absolute(target).lexically_normal();
    if (errno != EEXIST)
      return fail(Errc::unavailable, fmt::format("cannot move {} to {}: {}", file.string(), target.string(),
                                                 std::generic_category().message(errno)));
  }
  return fail(Errc::conflict, fmt::format("{} has too many files named {}", folder.string(), name));
}

// Gives a file the rights a newly made one would have; the storage keeps its own to itself.
void open_to_the_umask(const std::filesystem::path& file) {
  const mode_t mask = umask(0);
  umask(mask);
  chmod(file.c_str(), 0666 & ~mask);
}

// The server's configuration, turned to one short life in `folder`.
Config config_for(const cli::GetOptions& options, const LoadedConfig& loaded,
                  const std::filesystem::path& folder) {
  Config config = loaded.config;
  config.storage.dir = folder.string();
  config.storage.backend = Backend::local;
  config.storage.retention_hours = 0;
  config.db.url = "sqlite:///" + (folder / "trawl.db").string();
  if (options.parallel) config.download.max_concurrent = *options.parallel;
  if (options.allow_private) config.policy.allow_private_networks = true;
  if (options.cookies) config.download.cookies_file = std::filesystem::absolute(*options.cookies).string();
  return config;
}

// A hidden folder inside the output folder, so that finished files are moved, not copied.
class WorkFolder {
 public:
  static Result<std::unique_ptr<WorkFolder>> create(const std::filesystem::path& parent) {
    std::error_code error;
    std::filesystem::create_directories(parent, error);
    std::string name = (std::filesystem::absolute(parent) / ".trawl-XXXXXX").string();
    if (error || !mkdtemp(name.data())) {
      return fail(Errc::invalid,
                  fmt::format("cannot write to {}: {}", parent.string(),
                              error ? error.message() : std::generic_category().message(errno)));
    }
    return std::unique_ptr<WorkFolder>(new WorkFolder(name));
  }
  ~WorkFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit WorkFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// One `trawl get`.
class Getting {
 public:
  Getting(asio::io_context& context, const cli::GetOptions& options, const Config& config)
      : options_(options),
        app_(context, config),
        signals_(context, SIGINT, SIGTERM),
        scope_(context.get_executor()) {
    // Progress is for people and goes to stderr; stdout has what programs read: JSON, or the files' paths.
    const auto terminal = cli::describe_terminal(environment(), isatty(STDERR_FILENO) != 0);
    const auto write = [](std::ostream& out) {
      return [&out](std::string_view text) { out << text << std::flush; };
    };
    view_ = cli::make_progress_view(cli::choose_output(options.json, options.quiet, terminal), terminal.style,
                                    app_.clock(), write(options.json ? std::cout : std::cerr),
                                    [] { return cli::terminal_size(STDERR_FILENO); });
  }

  Task<int> run() {
    scope_.spawn("signals", watch_signals());
    int code = cli::kExitUsage;
    if (auto started = co_await start(); !started)
      std::cerr << "trawl: " << started.error().message << std::endl;
    else
      code = co_await download_all();
    view_->close();
    co_await app_.drain(0ms);
    co_await app_.close();
    co_await scope_.close();
    co_return code;
  }

 private:
  Task<Result<void>> start() {
    if (auto opened = co_await app_.open(); !opened) co_return opened;
    co_return co_await app_.start_work();
  }

  Task<int> download_all() {
    events_ = app_.downloads().bus().subscribe(std::nullopt);
    next_index_ = static_cast<int>(options_.urls.size());
    for (std::size_t i = 0; i < options_.urls.size(); ++i)
      co_await submit(static_cast<int>(i), options_.urls[i]);
    while ((!open_.empty() || !playlists_.empty()) && !interrupted_) {
      const auto event = co_await events_->next(100ms);
      view_->tick();
      co_await look_at_playlists();
      if (events_->lagged()) {
        events_ = app_.downloads().bus().subscribe(std::nullopt);
        co_await catch_up();
      } else if (event) {
        co_await report(*event);
      }
    }
    if (interrupted_) std::cerr << "trawl: interrupted" << std::endl;
    co_return failures_ > 0 || interrupted_ ? cli::kExitFailed : cli::kExitDone;
  }

  Task<void> submit(int index, std::string url) {
    view_->started(index, url);
    auto request = get_request(options_, url);
    if (!request) co_return give_up(index, request.error());
    const auto download = co_await app_.downloads().submit(std::move(*request), "");
    if (!download) co_return give_up(index, download.error());
    open_[download->job.id] = index;
  }

  void give_up(int index, Error error) {
    if (error.reason == "address_not_allowed") error.message += "; use --allow-private to allow it";
    ++failures_;
    view_->failed(index, error);
  }

  Task<void> report(events::Event event) {
    if (!open_.contains(event.job) && !co_await adopt(event)) co_return;
    const auto found = open_.find(event.job);
    const int index = found->second;
    if (event.type == events::Type::progress) {
      if (const auto progress = decode_own<media::Progress>(event.data, "progress"))
        view_->progress(index, *progress);
    } else if (event.type == events::Type::status) {
      const std::string phase(event.data.at("phase").as_string());
      if (event.data.at("final").as_bool()) co_return co_await settle(event.job);
      if (phase == "downloading") co_await tell_name(event.job, index);
      view_->stage(index,
                   phase == "waiting" && event.data.contains("error_code")
                       ? fmt::format("trying again soon: {}", event.data.at("message").as_string().c_str())
                       : phase);
    }
  }

  // A URL that turned out to be a playlist: its entries are downloaded instead.
  Task<void> expand(int index, const std::string& url) {
    downloads::BatchRequest batch;
    static_cast<media::DownloadOptions&>(batch) = *get_request(options_, url);  // It was checked before.
    batch.url = url;
    batch.skip_downloaded = false;
    batch.concurrency = std::clamp(options_.parallel.value_or(batch.concurrency), 1, 10);
    const auto made = co_await app_.batches().submit(std::move(batch), "");
    if (!made) co_return give_up(index, made.error());
    view_->stage(index, "listing");
    playlists_[made->id].index = index;
  }

  // An entry is shown from when it begins to run: there may be thousands. True when it is one.
  Task<bool> adopt(const events::Event& event) {
    if (playlists_.empty() || event.type != events::Type::status) co_return false;
    const std::string_view state = event.data.at("state").as_string();
    if (state != "running" && !event.data.at("final").as_bool()) co_return false;
    co_return co_await adopt(event.job);
  }

  Task<bool> adopt(JobId job) {
    const auto download = co_await app_.downloads().find(job);
    if (!download || !download->job.batch) co_return false;
    const auto playlist = playlists_.find(*download->job.batch);
    if (playlist == playlists_.end() || playlist->second.settled.contains(job)) co_return false;
    const auto member = downloads::membership_of(download->job.request);
    view_->started(next_index_, download->request.url);
    if (member && *member && !(*member)->title.empty()) view_->named(next_index_, (*member)->title);
    open_[job] = next_index_++;
    co_return true;
  }

  Task<void> look_at_playlists() {
    if (playlists_.empty() || std::chrono::steady_clock::now() < look_again_) co_return;
    look_again_ = std::chrono::steady_clock::now() + 300ms;
    std::vector<std::string> ids;
    for (const auto& [id, playlist] : playlists_) ids.push_back(id);
    for (const std::string& id : ids) co_await look_at(id);
  }

  Task<void> look_at(std::string id) {
    const auto batch = co_await app_.batches().find(id);
    Playlist& playlist = playlists_.at(id);
    if (batch && !batch->title.empty()) view_->named(playlist.index, batch->title);
    if (batch && !downloads::batch_ended(*batch)) co_return;
    if (batch && std::ssize(playlist.settled) < batch->counts.total()) co_return co_await catch_up_with(id);
    if (!batch)
      give_up(playlist.index, batch.error());
    else if (batch->error_message)
      give_up(playlist.index,
              {Errc::unavailable, *batch->error_message, batch->error_code.value_or("failed")});
    else
      view_->completed(playlist.index, options_.json ? playlist.files : std::vector<std::string>());
    playlists_.erase(id);
  }

  // Entries that ended without anybody noticing.
  Task<void> catch_up_with(std::string id) {
    constexpr std::int64_t kPage = 200;
    for (std::int64_t offset = 0;; offset += kPage) {
      const auto shown = co_await app_.batches().show(id, offset, kPage);
      if (!shown) co_return;
      for (const downloads::Download& download : shown->downloads) {
        const JobId job = download.job.id;
        if (jobs::final(download.job.state) && (open_.contains(job) || co_await adopt(job)))
          co_await settle(job);
      }
      if (std::ssize(shown->downloads) < kPage) co_return;
    }
  }

  // After a gap in the events: whatever has ended meanwhile is settled now.
  Task<void> catch_up() {
    for (const auto& [job, index] : std::map(open_)) co_await settle(job);
  }

  Task<void> tell_name(JobId job, int index) {
    const auto download = co_await app_.downloads().find(job);
    if (!download) co_return;
    const json::value* plan = download->job.checkpoint.if_contains("plan");
    if (const json::value* title =
            plan && plan->is_object() ? plan->as_object().if_contains("title") : nullptr;
        title && title->is_string()) {
      view_->named(index, std::string(title->as_string()));
    }
  }

  Task<void> settle(JobId job) {
    const auto download = co_await app_.downloads().find(job);
    if (download && !jobs::final(download->job.state)) co_return;
    const int index = open_.extract(job).mapped();
    Playlist* playlist = nullptr;
    if (download && download->job.batch) {
      playlist = &playlists_.at(*download->job.batch);
      playlist->settled.insert(job);
    }
    if (!download) co_return give_up(index, download.error());
    if (download->job.error_code == "is_a_playlist" && !playlist)
      co_return co_await expand(index, download->request.url);
    if (download->job.state != jobs::State::completed) {
      co_return give_up(index, {Errc::unavailable, download->job.error_message.value_or("cancelled"),
                                download->job.error_code.value_or("cancelled")});
    }
    std::vector<std::string> files;
    for (const storage::Artifact& artifact : download->artifacts) {
      const std::string name = artifact.path.substr(artifact.path.rfind('/') + 1);
      const auto moved = move_without_replacing(*app_.storage().file_of(artifact), options_.directory, name);
      if (!moved) co_return give_up(index, moved.error());
      open_to_the_umask(*moved);
      files.push_back(moved->string());
      if (playlist) playlist->files.push_back(moved->string());
    }
    // A terminal shows both streams, and the view has named the files already.
    if (!options_.json && isatty(STDOUT_FILENO) == 0)
      std::cout << fmt::format("{}\n", fmt::join(files, "\n")) << std::flush;
    view_->completed(index, std::move(files));
  }

  Task<void> watch_signals() {
    co_await signals_.async_wait(asio::use_awaitable);
    interrupted_ = true;
  }

  const cli::GetOptions& options_;
  App app_;
  asio::signal_set signals_;
  Scope scope_;
  std::unique_ptr<cli::ProgressView> view_;
  std::shared_ptr<events::Subscription> events_;
  std::map<JobId, int> open_;  // What has not ended, with its place among the arguments.
  struct Playlist {
    int index = 0;
    std::set<JobId> settled;
    std::vector<std::string> files;
  };
  std::map<std::string, Playlist> playlists_;  // By batch, those under way.
  std::chrono::steady_clock::time_point look_again_{};
  int next_index_ = 0;
  int failures_ = 0;
  bool interrupted_ = false;
};

}  // namespace

int get(const cli::GetOptions& options, const LoadedConfig& loaded) {
  for (const std::string& url : options.urls) {
    const auto request = get_request(options, url);
    if (request) continue;
    std::cerr << "trawl: " << request.error().message << std::endl;
    return cli::kExitUsage;
  }
  auto folder = WorkFolder::create(options.directory);
  if (!folder) {
    std::cerr << "trawl: " << folder.error().message << std::endl;
    return cli::kExitUsage;
  }
  asio::io_context context(1);
  Getting getting(context, options, config_for(options, loaded, (*folder)->path()));
  return run_to_end(context, getting.run());
}

}  // namespace trawl::server
