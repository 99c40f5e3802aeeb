#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <optional>

#include "async/blocking_pool.h"
#include "async/event.h"
#include "async/scope.h"
#include "media/digest.h"
#include "transfer/budget.h"
#include "transfer/detail/file_hash.h"
#include "transfer/detail/file_sink.h"
#include "transfer/detail/pace_meter.h"
#include "transfer/detail/part_file.h"
#include "transfer/http_client.h"
#include "transfer/journal.h"

namespace trawl::transfer::detail {

// The way of one file from its origin to its name.
//
// It goes in rounds. A round begins with one connection and adds more while that pays; it ends when
// the file is whole or when its last connection has failed. Between rounds the file is brought into
// order: rolled back when it has to start over, left as it is otherwise.
class FileMove {
 public:
  FileMove(asio::any_io_executor executor, HttpClient& client, BlockingPool& files, media::Part part,
           std::size_t index, std::filesystem::path folder, Budget& budget, Stop stop);

  [[nodiscard]] Task<Result<std::optional<media::FileDigest>>> run();

 private:
  using Time = std::chrono::steady_clock::time_point;

  // A round's shared state, gone with it.
  struct Round {
    Round(asio::any_io_executor executor, const Stop& outer);
    Stop stop;  // Of this round's requests; also set by the one outside.
    Stop::Subscription follows;
    Scope workers;
    std::list<FileSink*> sinks;  // Of requests under way.
    std::size_t most_connections = 1;
    std::optional<Error> error;
    std::optional<std::chrono::seconds> wait;
    bool restart = false;
    bool complete = false;
    const Time began = std::chrono::steady_clock::now();
    PaceMeter pace;
    bool asked_memory = false;
    bool objected = false;  // The origin refused one connection more.
  };

  [[nodiscard]] Task<Result<void>> fetch_all();
  [[nodiscard]] Task<Result<void>> prepare();
  [[nodiscard]] Task<Result<std::optional<media::FileDigest>>> publish();
  // False: an earlier attempt has completed the file.
  [[nodiscard]] Result<bool> is_missing();
  [[nodiscard]] Task<Result<void>> start_over();
  // Says whether another round makes sense, after the wait it needs.
  [[nodiscard]] Task<Result<void>> recover(const Round& round, std::int64_t before);

  [[nodiscard]] Task<void> play(Round& round);
  [[nodiscard]] Task<void> watch(Round& round);
  [[nodiscard]] Task<void> work(Round& round);
  [[nodiscard]] Task<void> fetch(Round& round, FileSink& sink, std::optional<Span> asked);
  // Where an answer without a length ended is the end of the file, unless the site says it is longer;
  // then it has to end there twice.
  [[nodiscard]] bool is_end(std::int64_t position);
  void settle(Round& round, const FileSink& sink, const Result<Head>& head);
  void adopt(const FileSink& sink);
  void begin_as_before(Round& round);
  void remember(const Round& round);
  void grow(Round& round);
  [[nodiscard]] std::optional<Span> claim(Round& round);
  [[nodiscard]] Request request(std::optional<Span> asked, bool extra) const;
  [[nodiscard]] Spans held(const Round* round) const;
  [[nodiscard]] Known known(const Round& round) const;
  [[nodiscard]] std::int64_t written_prefix() const;
  [[nodiscard]] bool whole() const { return journal_.total && journal_.done.covers({0, *journal_.total}); }

  [[nodiscard]] bool checkpoint_due(Time now) const;
  [[nodiscard]] Task<Result<void>> checkpoint(const Round* round);

  HttpClient& client_;
  BlockingPool& files_;
  const media::Part part_;
  Budget& budget_;
  const std::string origin_;
  const Stop stop_;
  asio::any_io_executor executor_;
  std::shared_ptr<Event> changed_;  // Shared with wake-ups that are still on their way.
  PartFile file_;
  FileContext context_;
  Journal journal_;  // `done` without what requests under way have brought.
  const Round* round_ = nullptr;
  FileHash hash_;
  bool ranges_ = true;       // False once the origin has shown that it does not answer them properly.
  bool splittable_ = false;  // Several ranges at once may be asked for.
  std::int64_t ended_at_ = -1;
  int restarts_ = 0;
  int attempts_ = 0;
  Time saved_{};
  Time progressed_ = std::chrono::steady_clock::now();
};

}  // namespace trawl::transfer::detail
