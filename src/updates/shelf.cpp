#include "updates/shelf.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>

#include "base/id.h"
#include "base/json.h"
#include "updates/release.h"

namespace trawl::updates {
namespace {

namespace fs = std::filesystem;

constexpr const char* kState = "state.json";
constexpr std::string_view kDraft = ".draft-";

std::unexpected<Error> cannot(std::string_view what, const fs::path& path, const std::string& why) {
  return fail(Errc::unavailable, fmt::format("cannot {} {}: {}", what, path.string(), why), "shelf_unusable");
}

Result<void> write_file(const fs::path& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return cannot("write", path, std::strerror(errno));
  const bool whole = ::write(file, text.data(), text.size()) == std::ssize(text) && ::fsync(file) == 0;
  const int error = errno;
  ::close(file);
  if (!whole) return cannot("write", path, std::strerror(error));
  return {};
}

}  // namespace

Result<State> Shelf::read() const {
  std::ifstream in(folder_ / kState);
  if (!in) return State{};
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto document = parse_json(text);
  auto state = document ? decode_own<State>(*document, kState) : Result<State>(fail(document.error()));
  if (!state) return cannot("understand", folder_ / kState, state.error().message);
  for (const std::string& version : {state->current, state->previous}) {
    if (!version.empty() && !is_version(version)) return cannot("understand", folder_ / kState, version);
  }
  return state;
}

Result<void> Shelf::write(const State& state) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return cannot("create", folder_, error.message());
  const fs::path next = folder_ / fmt::format(".state-{}", random_hex(8));
  if (auto written = write_file(next, json::serialize(encode(state)) + "\n"); !written) return written;
  fs::rename(next, folder_ / kState, error);
  if (error) return cannot("write", folder_ / kState, error.message());
  return {};
}

fs::path Shelf::program(const std::string& version) const {
  return version.empty() ? fs::path() : folder_ / version / kProgram;
}

Result<fs::path> Shelf::draft(const std::string& version) const {
  const fs::path made = folder_ / fmt::format("{}{}-{}", kDraft, version, random_hex(4));
  std::error_code error;
  fs::create_directories(made, error);
  if (error) return cannot("create", made, error.message());
  return made;
}

Result<void> Shelf::add(const fs::path& draft, const std::string& version) const {
  std::error_code error;
  fs::remove_all(folder_ / version, error);
  fs::rename(draft, folder_ / version, error);
  if (error) return cannot("move into place", folder_ / version, error.message());
  return {};
}

void Shelf::tidy(const State& state) const {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory(ignored) && is_version(name) && name != state.current && name != state.previous)
      fs::remove_all(entry.path(), ignored);
  }
}

State with_release(State state, const std::string& version, std::string why, SystemTime now) {
  if (state.current != version) state.previous = state.current;
  state.current = version;
  std::erase(state.bad, version);
  state.why = std::move(why);
  state.changed_at = now;
  return state;
}

State rolled_back(State state, std::string why, SystemTime now) {
  if (!state.current.empty() && std::ranges::find(state.bad, state.current) == state.bad.end())
    state.bad.push_back(state.current);
  state.current = std::exchange(state.previous, "");
  state.why = std::move(why);
  state.changed_at = now;
  return state;
}

}  // namespace trawl::updates
