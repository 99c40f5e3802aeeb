#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/describe.h"
#include "base/result.h"

namespace trawl::updates {

// Which releases there are here. An empty version is the yt-dlp that is installed or configured.
struct State {
  std::string current;           // Used for new downloads.
  std::string previous;          // The last one that was good, to go back to.
  std::string latest;            // The newest one that is offered, as far as somebody looked.
  std::vector<std::string> bad;  // Were taken back; not taken again by themselves.
  std::string why;               // The last change, in words.
  std::optional<SystemTime> checked_at, changed_at;
};
BOOST_DESCRIBE_STRUCT(State, (), (current, previous, latest, bad, why, checked_at, changed_at))

// A folder with a sub-folder for each release and a file that says which one counts. Servers of one folder
// and the command line share it: a change is one rename, which all of them see.
class Shelf {
 public:
  explicit Shelf(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] Result<State> read() const;  // What is not there yet is empty.
  [[nodiscard]] Result<void> write(const State& state) const;

  // The program of a release, for engine.ytdlp_path; empty for an empty version.
  [[nodiscard]] std::filesystem::path program(const std::string& version) const;
  // Where a release is put together; add() makes it visible as a whole.
  [[nodiscard]] Result<std::filesystem::path> draft(const std::string& version) const;
  [[nodiscard]] Result<void> add(const std::filesystem::path& draft, const std::string& version) const;
  // Deletes releases that `state` does not name as current or previous.
  void tidy(const State& state) const;

 private:
  std::filesystem::path folder_;
};

// The states that follow. A release that is taken into use is not bad any more; one that is taken back is.
[[nodiscard]] State with_release(State state, const std::string& version, std::string why, SystemTime now);
[[nodiscard]] State rolled_back(State state, std::string why, SystemTime now);

}  // namespace trawl::updates
