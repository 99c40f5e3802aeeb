#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "testing/temp_dir.h"
#include "transfer/mover.h"
#include "transfer/range_plan.h"
#include "transfer/transfer_fixture.h"

// Files of pseudo-random bytes, an origin without faults, and a mover that fetches from it.
namespace trawl::transfer {

inline std::string content(std::size_t size, unsigned seed = 1) {
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  return out;
}

inline std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::optional<Span> asked_range(const ScriptedOrigin::Request& request, std::size_t size) {
  const std::string field = request["Range"];
  if (!field.starts_with("bytes=")) return std::nullopt;
  const auto dash = field.find('-');
  Span out{std::stoll(field.substr(6, dash - 6)), static_cast<std::int64_t>(size)};
  if (dash + 1 < field.size())
    out.end = std::min(out.end, std::int64_t{std::stoll(field.substr(dash + 1)) + 1});
  return out;
}

// What an origin without faults answers.
inline ScriptedOrigin::Reply proper(const ScriptedOrigin::Request& request, const std::string& file,
                                    std::string etag = "\"v1\"") {
  ScriptedOrigin::Reply reply{.headers = {{"ETag", etag}, {"Accept-Ranges", "bytes"}}};
  const auto span = asked_range(request, file.size());
  const bool condition_fails = request.count("If-Range") != 0U && request["If-Range"] != etag;
  if (!span || condition_fails) {
    reply.body = file;
    return reply;
  }
  reply.status = 206;
  reply.headers.emplace_back("Content-Range",
                             fmt::format("bytes {}-{}/{}", span->first, span->end - 1, file.size()));
  reply.body = file.substr(static_cast<std::size_t>(span->first), static_cast<std::size_t>(span->size()));
  return reply;
}

class MoverTest : public TransferTest {
 protected:
  MoverTest() { move_limits.retries = 1; }
  ~MoverTest() override { files.join(); }

  Result<void> move(std::vector<media::Part> parts) {
    Result<void> out;
    run([&]() -> Task<void> {
      Mover mover(*client, files);
      for (auto& earlier : earlier_parts)
        EXPECT_TRUE(co_await mover.move({std::move(earlier)}, folder.path(), move_limits, {}, stop));
      auto moved =
          co_await mover.move(std::move(parts), folder.path(), move_limits,
                              {.on_progress =
                                   [this](const media::Progress& now) {
                                     EXPECT_GE(now.downloaded_bytes, progress.downloaded_bytes);
                                     progress = now;
                                   },
                               .on_told_to_wait = [this](std::chrono::seconds time) { told_to_wait = time; },
                               .on_hashed = [this](const std::string&, std::int64_t bytes) { note(bytes); }},
                              stop);
      if (moved)
        digests = *moved;
      else
        out = fail(moved.error());
    });
    return out;
  }
  Result<void> move_one(const ScriptedOrigin& server, std::int64_t chunk = 0) {
    return move({{.name = "a.mp4", .url = server.url(), .chunk_size = chunk}});
  }
  // What is told to be hashed can be read back at once.
  void note(std::int64_t bytes) {
    hashed.push_back(bytes);
    if (bytes == 0) return told.clear();
    const std::string name = exists("a.mp4") ? "a.mp4" : Mover::unfinished("a.mp4");
    std::string now = read(folder / name).substr(0, static_cast<std::size_t>(bytes));
    EXPECT_TRUE(now.starts_with(told)) << "what was told has changed";
    told = std::move(now);
  }
  [[nodiscard]] std::string result() const { return read(folder / "a.mp4"); }
  [[nodiscard]] bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }

  TempDir folder;
  BlockingPool files{2};
  MoveLimits move_limits;
  Stop stop;
  media::Progress progress;
  std::optional<std::chrono::seconds> told_to_wait;
  Mover::Digests digests;
  std::vector<std::int64_t> hashed;        // As it was told,
  std::string told;                        // and what the file began with then.
  std::vector<media::Part> earlier_parts;  // Brought by the same mover before.
};

}  // namespace trawl::transfer
