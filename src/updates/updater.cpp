#include "updates/updater.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "base/id.h"
#include "base/sha256.h"

namespace trawl::updates {
namespace {

constexpr std::size_t kMostText = 4 << 20;
constexpr std::size_t kMostProgram = 100 << 20;

// An answer of a bounded size, in memory: a program of yt-dlp has about 3 MB.
class Body final : public transfer::Sink {
 public:
  explicit Body(std::size_t most) : most_(most) {}
  Result<void> begin(const transfer::Head& head) override {
    text_.clear();
    if (head.status == 200) return {};
    return fail(Errc::unavailable, fmt::format("{} answers {}", head.url, head.status),
                "release_unavailable");
  }
  Result<void> data(std::span<const char> bytes) override {
    if (text_.size() + bytes.size() > most_)
      return fail(Errc::too_large, fmt::format("a release is not larger than {} bytes", most_), "too_large");
    text_.append(bytes.data(), bytes.size());
    return {};
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::size_t most_;
  std::string text_;
};

Task<Result<std::string>> fetch(transfer::HttpClient& client, std::string url, std::size_t most) {
  Body body(most);
  transfer::Request request{.url = std::move(url)};
  request.headers = {{"User-Agent", "trawl"}, {"Accept", "application/json, */*"}};
  const auto head = co_await client.fetch(std::move(request), body, transfer::Stop());
  if (!head) co_return fail(head.error());
  co_return body.take();
}

// A folder that goes with its owner.
class Folder {
 public:
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Error unusable(const std::string& version, const Error& why) {
  return {Errc::unsupported, fmt::format("yt-dlp {} is not usable: {}", version, why.message),
          "release_unusable"};
}

}  // namespace

engine::EngineOptions Updater::engine_of(const std::string& version) const {
  engine::EngineOptions options = options_.engine;
  if (!version.empty()) options.ytdlp_path = shelf_.program(version);
  return options;
}

Task<Result<std::string>> Updater::fetch_text(std::string url) {
  co_return co_await fetch(client_, std::move(url), kMostText);
}

Task<Result<Release>> Updater::check() {
  const auto text = co_await fetch_text(options_.index);
  if (!text) co_return fail(text.error());
  auto release = read_index(*text);
  if (!release) co_return release;
  auto state = shelf_.read();
  if (!state) co_return fail(state.error());
  state->latest = release->version;
  state->checked_at = clock_.now();
  if (auto written = shelf_.write(*state); !written) co_return fail(written.error());
  co_return release;
}

Task<Result<State>> Updater::update(std::string running, bool forced) {
  const auto release = co_await check();
  if (!release) co_return fail(release.error());
  auto state = shelf_.read();
  if (!state) co_return fail(state.error());
  const bool bad = std::ranges::find(state->bad, release->version) != state->bad.end();
  if (!forced && (bad || !is_newer(release->version, running))) co_return state;
  if (auto shelved = co_await shelve(*release); !shelved) co_return fail(shelved.error());
  if (auto tried = co_await try_out(release->version); !tried) {
    shelf_.tidy(*state);
    co_return fail(unusable(release->version, tried.error()));
  }
  State next = with_release(*state, release->version, "an update", clock_.now());
  if (auto written = shelf_.write(next); !written) co_return fail(written.error());
  shelf_.tidy(next);
  co_return next;
}

Task<Result<State>> Updater::rollback(std::string why) {
  const auto state = shelf_.read();
  if (!state) co_return fail(state.error());
  if (state->current.empty())
    co_return fail(Errc::conflict, "the yt-dlp in use is the installed one", "nothing_to_roll_back");
  State next = rolled_back(*state, std::move(why), clock_.now());
  if (auto written = shelf_.write(next); !written) co_return fail(written.error());
  co_return next;
}

Task<Result<void>> Updater::shelve(Release release) {
  const auto draft = shelf_.draft(release.version);
  if (!draft) co_return fail(draft.error());
  const Folder folder(*draft);
  if (auto fetched = co_await fetch_program(release, folder.path() / kProgram); !fetched) co_return fetched;
  co_return shelf_.add(folder.path(), release.version);
}

Task<Result<void>> Updater::fetch_program(Release release, std::filesystem::path target) {
  const auto list = co_await fetch_text(release.checksums);
  if (!list) co_return fail(list.error());
  const auto expected = checksum_of(*list, kProgram);
  if (!expected) co_return fail(expected.error());
  const auto program = co_await fetch(client_, release.program, kMostProgram);
  if (!program) co_return fail(program.error());
  if (sha256_hex(*program) != *expected)
    co_return fail(Errc::forbidden, fmt::format("yt-dlp {} is not what its checksum says", release.version),
                   "checksum_mismatch");
  co_return co_await files_.run([&]() -> Result<void> {
    std::ofstream out(target, std::ios::binary);
    out.write(program->data(), static_cast<std::streamsize>(program->size()));
    out.close();
    if (!out) return fail(Errc::no_space, fmt::format("cannot write {}", target.string()), "no_space");
    return {};
  });
}

// A host of its own, which must become warm and resolve every page of the smoke set.
Task<Result<void>> Updater::try_out(std::string version) {
  const auto engine = engine::make_engine(executor_, engine_of(version));
  Result<void> tried = co_await engine->start();
  if (tried && engine->versions().ytdlp != version)
    tried = fail(Errc::invalid, fmt::format("it calls itself {}", engine->versions().ytdlp), "other_version");
  for (const std::string& url : options_.smoke) {
    if (tried) tried = co_await resolve(*engine, url);
  }
  co_await engine->stop();
  co_return tried;
}

Task<Result<void>> Updater::resolve(engine::Engine& engine, std::string url) {
  const Folder work(options_.work / fmt::format("trial-{}", random_hex(8)));
  std::error_code error;
  std::filesystem::create_directories(work.path(), error);
  if (error) co_return fail(Errc::unavailable, fmt::format("cannot create {}", work.path().string()));
  const auto pass = proxy_.admit({});
  engine::Request request{.url = url, .format = "bestvideo+bestaudio/best"};
  request.proxy = pass->proxy_url();
  request.work_dir = work.path().string();
  auto child = co_await engine.open(std::move(request), {}, std::nullopt, false);
  if (!child) co_return fail(child.error());
  const auto plan = co_await (*child)->resolve(options_.resolve_limit);
  if (!plan)
    co_return fail(plan.error().code, fmt::format("{}: {}", url, plan.error().message), plan.error().reason);
  co_return Result<void>();
}

}  // namespace trawl::updates
