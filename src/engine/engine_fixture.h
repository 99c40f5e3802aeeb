#pragma once

#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "async/event.h"
#include "async/run.h"
#include "async/scope.h"
#include "engine/engine.h"

// Real engine, real media, a real web server on loopback.
namespace trawl::engine {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

inline std::string shell(const std::string& command) {
  std::string out;
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 4096> buffer;
  while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    out.append(buffer.data(), size);
  return out;
}

inline std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = fs::temp_directory_path() / "trawl-engine-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() { fs::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// `python3 -m http.server` for a folder.
class Site {
 public:
  explicit Site(const fs::path& folder) {
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const std::string root = folder.string();
    const char* arguments[] = {"/usr/bin/python3", "-u", "-m",         "http.server", "--bind",
                               "127.0.0.1",        "-d", root.c_str(), "0",           nullptr};
    if (posix_spawn(&pid_, arguments[0], &actions, nullptr, const_cast<char**>(arguments), environ) != 0)
      throw std::runtime_error("spawn");
    posix_spawn_file_actions_destroy(&actions);
    close(pipe[1]);
    std::string said;
    for (char c; said.find('\n') == said.npos && read(pipe[0], &c, 1) == 1;) said += c;
    close(pipe[0]);
    if (std::sscanf(said.c_str(), "Serving HTTP on 127.0.0.1 port %d", &port_) != 1)
      throw std::runtime_error("no site: " + said);
  }
  ~Site() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  std::string url(const std::string& path) const {
    return fmt::format("http://127.0.0.1:{}/{}", port_, path);
  }

 private:
  pid_t pid_ = 0;
  int port_ = 0;
};

// The fields of /proc/PID/stat after the name: state, parent, group, ...
inline std::vector<std::string> process_stat(int pid) {
  const std::string text = read_file(fmt::format("/proc/{}/stat", pid));
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  return {std::istream_iterator<std::string>(fields), {}};
}

// Living processes of a group.
inline std::vector<int> group_members(int group) {
  std::vector<int> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    const auto stat = pid ? process_stat(pid) : std::vector<std::string>{};
    if (stat.size() > 2 && stat[2] == std::to_string(group) && stat[0] != "Z") found.push_back(pid);
  }
  return found;
}

class EngineTest : public testing::Test {
 protected:
  void TearDown() override {
    if (engine) run(engine->stop());
    run(background.close());
  }

  template <class T>
  T run(Task<T> task) {
    return run_to_end(context, std::move(task));
  }

  static EngineOptions options() {
    EngineOptions out;
    out.host_script = TRAWL_ENGINE_HOST;
#ifdef TRAWL_REMUX
    out.remux_path = TRAWL_REMUX;
#endif
    return out;
  }

  void start(EngineOptions with = options()) {
    engine = make_engine(context.get_executor(), std::move(with));
    const auto started = run(engine->start());
    ASSERT_TRUE(started) << started.error().message;
  }

  // Two seconds of moving picture and tone, and what `also` makes of media.mp4.
  void make_media(const std::string& also = "true") {
    const auto said =
        shell(fmt::format("cd {} && {{ ffmpeg -v error -f lavfi -i testsrc=d=2:s=160x120:r=10 -f lavfi -i "
                          "sine=d=2 -c:v libx264 -preset ultrafast "
                          "-g 10 -c:a aac -shortest media.mp4 && {}; }} 2>&1 </dev/null",
                          pages.path().string(), also));
    ASSERT_EQ(said, "");
  }

  Request request(const std::string& url) {
    Request out;
    out.url = url;
    out.work_dir = work.path() / std::to_string(++downloads);
    fs::create_directory(out.work_dir);
    return out;
  }

  Listener listener() {
    return {.on_progress = [this](const media::Progress& p) { progress.push_back(p); },
            .on_log = [this](LogLevel, std::string line) { log += line + "\n"; }};
  }

  std::unique_ptr<Child> open(const Request& what, std::optional<media::Plan> plan = {},
                              bool transferred = false) {
    auto child = run(engine->open(what, listener(), std::move(plan), transferred));
    if (!child) throw std::runtime_error(child.error().message);
    return std::move(*child);
  }

  // All three stages in one child.
  Result<std::vector<media::Produced>> download(const Request& what) {
    const auto child = open(what);
    const auto plan = run(child->resolve(30s));
    if (!plan) return fail(plan.error());
    const auto transferred = run(child->transfer(30s, 30s, {}));
    if (!transferred) return fail(transferred.error());
    return run(child->finish(60s));
  }

  // The codecs of a file, video first.
  static std::string codecs(const fs::path& file) {
    return shell(fmt::format(
        "ffprobe -v error -show_entries stream=codec_name -of csv=p=0 '{}' | tr '\\n' ' '", file.string()));
  }

  static std::string container(const fs::path& file) {
    return shell(fmt::format(
        "ffprobe -v error -show_entries format=format_name -of default=nw=1:nk=1 '{}' | tr -d '\\n'",
        file.string()));
  }

  // Lets the engine work until `condition` holds; false when that takes longer than `limit`.
  bool eventually(std::function<bool()> condition, std::chrono::seconds limit = 10s) {
    return run([](std::function<bool()> holds, std::chrono::seconds most) -> Task<bool> {
      const auto deadline = std::chrono::steady_clock::now() + most;
      while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) co_return false;
        co_await sleep_for(10ms);
      }
      co_return true;
    }(std::move(condition), limit));
  }

  asio::io_context context;
  TempFolder pages, work;
  Site site{pages.path()};
  std::unique_ptr<Engine> engine;
  Scope background{context.get_executor()};
  std::vector<media::Progress> progress;
  std::string log;
  int downloads = 0;
};

}  // namespace trawl::engine
