#include "transfer/detail/file_move.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "net/url.h"

namespace trawl::transfer::detail {
namespace {

using namespace std::chrono_literals;

constexpr auto kShortestTick = 15ms;
constexpr auto kLongestTick = 250ms;
constexpr auto kCheckpointEvery = 5s;
constexpr auto kPatience = 20s;
constexpr auto kAfterProgress = 100ms;
constexpr std::int64_t kProgress = 64 * 1024;  // What makes a failed round no failure.
constexpr std::int64_t kCheckpointBytes = 8 * 1024 * 1024;

bool comes_from_origin(const Error& error) {
  return error.code == Errc::unavailable || error.code == Errc::timeout || error.code == Errc::rate_limited ||
         error.code == Errc::not_found;
}

std::string origin_of(const std::string& url) {
  const auto parsed = net::parse_url(url);
  return parsed ? net::to_authority(*parsed) : "";
}

std::function<void()> waker(asio::any_io_executor executor, std::shared_ptr<Event> event) {
  return [executor, event] { asio::post(executor, [event] { event->notify_all(); }); };
}

}  // namespace

FileMove::Round::Round(asio::any_io_executor executor, const Stop& outer)
    : follows(outer.on_set([inner = stop]() mutable { inner.set(); })), workers(std::move(executor)) {}

FileMove::FileMove(asio::any_io_executor executor, HttpClient& client, BlockingPool& files, media::Part part,
                   std::size_t index, std::filesystem::path folder, Budget& budget, Stop stop)
    : client_(client),
      files_(files),
      part_(std::move(part)),
      budget_(budget),
      origin_(origin_of(part_.url)),
      stop_(std::move(stop)),
      executor_(executor),
      changed_(std::make_shared<Event>(executor)),
      file_(folder, part_.name),
      context_{.file = file_, .budget = budget, .part = index, .changed = waker(executor, changed_)},
      hash_(
          executor, files, file_, [this] { return written_prefix(); },
          [this](std::int64_t bytes) { budget_.hashed(context_.part, bytes); }) {}

Task<Result<std::optional<media::FileDigest>>> FileMove::run() {
  const auto missing = is_missing();
  if (!missing) co_return fail(missing.error());
  if (!*missing) co_return std::nullopt;
  Result<std::optional<media::FileDigest>> moved;
  if (auto fetched = co_await fetch_all(); !fetched)
    moved = fail(std::move(fetched.error()));
  else
    moved = co_await publish();
  co_await hash_.end();
  co_return moved;
}

Result<bool> FileMove::is_missing() {
  std::error_code error;
  const auto found = std::filesystem::file_size(file_.target(), error);
  if (error) return true;
  const auto size = static_cast<std::int64_t>(found);
  budget_.set_total(context_.part, size);
  budget_.add(context_.part, size);
  if (!budget_.take_bytes(size)) return fail(Errc::too_large, "the download is larger than its limit");
  return false;
}

Task<Result<void>> FileMove::fetch_all() {
  if (auto prepared = co_await prepare(); !prepared) co_return prepared;
  while (!whole()) {
    const std::int64_t before = context_.arrived;
    Round round(executor_, stop_);
    round.most_connections = budget_.connections_per_part();
    co_await play(round);
    remember(round);
    if (round.complete || whole()) break;
    if (auto recovered = co_await recover(round, before); !recovered) co_return recovered;
  }
  co_return Result<void>();
}

// Picks up what an earlier attempt left, if its journal and the file agree.
Task<Result<void>> FileMove::prepare() {
  auto left = co_await files_.run([this]() -> Result<Journal> {
    if (auto opened = file_.open(); !opened) return fail(opened.error());
    const auto size = file_.size();
    if (!size) return fail(size.error());
    auto journal = load_journal(file_.journal());
    const bool usable = journal && !journal->validator.empty() && !journal->done.list().empty() &&
                        journal->done.list().back().end <= *size;
    if (usable) return journal;
    if (auto emptied = file_.resize(0); !emptied) return fail(emptied.error());
    return Journal();
  });
  if (!left) co_return fail(left.error());
  journal_ = std::move(*left);
  context_.journalled = !journal_.validator.empty();
  const std::int64_t have = journal_.done.bytes();
  if (!budget_.take_bytes(have)) co_return fail(Errc::too_large, "the download is larger than its limit");
  budget_.add(context_.part, have);
  budget_.set_total(context_.part, journal_.total ? journal_.total : part_.size);
  saved_ = std::chrono::steady_clock::now();
  if (part_.digest) hash_.start(journal_.hash);
  co_return Result<void>();
}

// The rest is hashed while the disk works.
Task<Result<std::optional<media::FileDigest>>> FileMove::publish() {
  hash_.complete(*journal_.total);
  const auto stamp = co_await files_.run([this]() -> Result<FileStamp> {
    if (auto resized = file_.resize(*journal_.total); !resized) return fail(resized.error());
    if (auto published = file_.publish(); !published) return fail(published.error());
    return file_.stamp();
  });
  if (!stamp) {
    if (stamp.error().reason == "io_error") co_await files_.run([this] { file_.discard(); });
    co_return fail(stamp.error());
  }
  auto sha256 = co_await hash_.digest();
  if (sha256.empty()) co_return std::nullopt;
  co_return media::FileDigest{.name = part_.name, .stamp = *stamp, .sha256 = std::move(sha256)};
}

Task<Result<void>> FileMove::start_over() {
  const std::int64_t have = journal_.done.bytes();
  budget_.give_back(have);
  budget_.add(context_.part, -have);
  journal_ = {};
  hash_.forget();
  context_.journalled = false;
  context_.unsaved = 0;
  splittable_ = false;
  co_return co_await files_.run([this]() -> Result<void> {
    std::error_code ignored;
    std::filesystem::remove(file_.journal(), ignored);
    return file_.resize(0);
  });
}

Task<Result<void>> FileMove::recover(const Round& round, std::int64_t before) {
  if (round.error && round.error->reason == "io_error") {
    co_await files_.run([this] { file_.discard(); });
    co_return fail(*round.error);
  }
  const auto now = std::chrono::steady_clock::now();
  const bool progressed = context_.arrived - before >= kProgress;
  if (progressed) progressed_ = now;
  // Who waits for a dead origin keeps others from a living one: the job comes back to it later.
  const bool dead = round.error && round.error->code == Errc::timeout && now - progressed_ >= kPatience;
  if (stop_.is_set() || dead || (round.error && !worth_retrying(*round.error))) {
    const auto saved = co_await checkpoint(nullptr);
    if (!saved) log_warn(saved.error().message);
    if (stop_.is_set()) co_return fail(Errc::cancelled, "the transfer was stopped");
    co_return fail(*round.error);
  }
  Error why = round.error.value_or(
      Error{Errc::unavailable, "the origin does not answer ranges of one and the same file", "origin_error"});
  // Without a validator nobody can tell whether the rest belongs to the same file.
  const bool worthless = journal_.validator.empty() && !journal_.done.list().empty();
  if (round.restart || worthless) {
    if (auto emptied = co_await start_over(); !emptied) co_return emptied;
    if (restarts_++ == 0) co_return Result<void>();
    co_return co_await budget_.back_off(context_.part, restarts_ - 1, round.wait, std::move(why), stop_);
  }
  if (!progressed || round.wait) {
    if (part_.optional && attempts_ > 0) co_return fail(std::move(why));  // Not worth waiting for long.
    co_return co_await budget_.back_off(context_.part, ++attempts_, round.wait, std::move(why), stop_);
  }
  attempts_ = 0;
  co_await sleep_unless_stopped(kAfterProgress, stop_);
  co_return Result<void>();
}

Task<void> FileMove::play(Round& round) {
  round_ = &round;
  round.workers.spawn("range", work(round));
  co_await watch(round);
  round.stop.set();
  co_await round.workers.join();
  round_ = nullptr;
}

// Until the last connection has ended.
Task<void> FileMove::watch(Round& round) {
  while (round.workers.size() > 0) {
    // Often at first, when it is to be seen how fast the origin is.
    const auto age = std::chrono::steady_clock::now() - round.began;
    co_await changed_->wait_for(std::clamp<Time::duration>(age / 8, kShortestTick, kLongestTick));
    hash_.look();
    for (const FileSink* sink : round.sinks) {
      if (sink->begun()) adopt(*sink);
    }
    const auto now = std::chrono::steady_clock::now();
    if (checkpoint_due(now)) {
      if (auto saved = co_await checkpoint(&round); !saved) {
        round.error = saved.error();
        co_return;
      }
    }
    grow(round);
  }
}

// What the first answer says about the file holds for all the others, which are judged by it.
void FileMove::adopt(const FileSink& sink) {
  if (journal_.total || !sink.verdict() || !sink.verdict()->total) return;
  journal_.total = sink.verdict()->total;
  journal_.validator = sink.validator();
  context_.journalled = !journal_.validator.empty();
  splittable_ = ranges_ && sink.verdict()->ranges && !journal_.validator.empty();
}

// Takes as many connections at once as another file from there had at its best.
void FileMove::begin_as_before(Round& round) {
  if (round.asked_memory || !splittable_ || !journal_.total || !budget_.origins()) return;
  round.asked_memory = true;
  const auto before = budget_.origins()->connections(origin_, std::chrono::steady_clock::now());
  const std::int64_t remaining = *journal_.total - known(round).have;
  const auto worth = static_cast<std::size_t>(remaining / worth_splitting(0));
  const std::size_t wanted = std::min({before, round.most_connections, worth});
  for (std::size_t i = round.workers.size(); i < wanted; ++i) round.workers.spawn("range", work(round));
}

void FileMove::remember(const Round& round) {
  const auto best = round.pace.best_connections();
  if (budget_.origins() && (best || round.objected))
    budget_.origins()->note(origin_, round.objected ? 1 : *best, std::chrono::steady_clock::now());
}

void FileMove::grow(Round& round) {
  const auto now = std::chrono::steady_clock::now();
  const bool settled = !round.sinks.empty() && std::ranges::all_of(round.sinks, &FileSink::begun) &&
                       round.sinks.size() == round.workers.size();
  begin_as_before(round);
  if (!splittable_ || !journal_.total || !settled || !round.pace.measuring()) {
    round.pace.begin(now, context_.arrived);
    return;
  }
  const std::size_t have = round.workers.size();
  const auto wanted = round.pace.look(now, context_.arrived, round.sinks.front()->latency(),
                                      {.connections = have,
                                       .remaining = *journal_.total - known(round).have,
                                       .most_connections = round.most_connections,
                                       .limit = budget_.limits().bytes_per_second});
  for (std::size_t i = have; i < wanted.value_or(have); ++i) round.workers.spawn("range", work(round));
}

Spans FileMove::held(const Round* round) const {
  Spans out = journal_.done;
  if (!round) return out;
  for (const FileSink* sink : round->sinks) out.add({sink->first(), sink->position()});
  return out;
}

Known FileMove::known(const Round& round) const {
  return {.total = journal_.total, .validator = journal_.validator, .have = held(&round).bytes()};
}

std::int64_t FileMove::written_prefix() const {
  const Spans all = held(round_);
  return all.list().empty() || all.list().front().first > 0 ? 0 : all.list().front().end;
}

// The next bytes a connection should bring. An end that is not known is kToTheEnd.
std::optional<Span> FileMove::claim(Round& round) {
  if (!journal_.total) {
    if (!round.sinks.empty()) return std::nullopt;
    const std::int64_t first = journal_.done.bytes();
    const bool chunked = part_.chunk_size > 0 && ranges_;
    return Span{first, chunked ? first + part_.chunk_size : kToTheEnd};
  }
  Spans done = journal_.done;
  std::vector<Span> claimed;
  for (const FileSink* sink : round.sinks) {
    done.add({sink->first(), sink->position()});
    claimed.push_back({sink->position(), std::max(sink->end(), sink->position())});
  }
  const auto connections = static_cast<double>(std::max<std::size_t>(round.sinks.size(), 1));
  const auto next = assign(done, claimed, *journal_.total, ranges_ ? part_.chunk_size : 0,
                           worth_splitting(round.pace.bytes_per_second() / connections));
  if (!next) return std::nullopt;
  if (next->taken_from) {
    if (!splittable_) return std::nullopt;
    (*std::next(round.sinks.begin(), static_cast<std::ptrdiff_t>(*next->taken_from)))
        ->leave_from(next->span.first);
  }
  return next->span;
}

Request FileMove::request(std::optional<Span> asked, bool extra) const {
  Request out{.url = part_.url, .headers = part_.headers, .cookies = part_.cookies};
  out.own_connection = !part_.small;
  out.extra = extra;
  out.shared_rate = budget_.rate();
  out.proxy = budget_.limits().proxy;
  if (!asked) return out;
  out.range = {asked->first, asked->end == kToTheEnd ? kToTheEnd : asked->end - 1};
  out.if_range = journal_.validator.condition();
  return out;
}

// One connection: brings one span after the other until there is nothing left for it.
Task<void> FileMove::work(Round& round) {
  while (!round.stop.is_set()) {
    const auto permit = co_await budget_.connections.acquire();
    if (round.stop.is_set() || round.restart) break;
    const auto span = claim(round);
    if (!span) break;
    const bool everything = span->first == 0 && (span->end == kToTheEnd || span->end == journal_.total);
    const auto asked = everything ? std::nullopt : std::optional(*span);
    const std::int64_t before = context_.arrived;
    FileSink sink(context_, *span, asked, known(round));
    co_await fetch(round, sink, asked);
    if (round.restart || round.complete || sink.position() == sink.first()) break;
    if (round.error && context_.arrived == before) break;
  }
  context_.changed();
}

Task<void> FileMove::fetch(Round& round, FileSink& sink, std::optional<Span> asked) {
  const bool extra = !round.sinks.empty();
  round.sinks.push_back(&sink);
  const auto where = std::prev(round.sinks.end());
  const auto head = co_await client_.fetch(request(asked, extra), sink, round.stop);
  round.sinks.erase(where);
  settle(round, sink, head);
}

bool FileMove::is_end(std::int64_t position) {
  return !part_.size || position >= *part_.size || std::exchange(ended_at_, position) == position;
}

void FileMove::settle(Round& round, const FileSink& sink, const Result<Head>& head) {
  const auto& verdict = sink.verdict();
  if (verdict) adopt(sink);
  journal_.done.add({sink.first(), sink.position()});
  const bool alone = round.sinks.empty();
  if (verdict && verdict->kind == Verdict::Kind::restart) {
    ranges_ = ranges_ && !alone;
    splittable_ = false;
    round.most_connections = 1;
    round.restart = round.restart || alone;
    return;
  }
  if (verdict && verdict->kind == Verdict::Kind::complete) {
    journal_.total = verdict->total;
    round.complete = true;
    return;
  }
  if (head && !journal_.total && is_end(sink.position())) {
    journal_.total = sink.position();
    return;
  }
  if (head && !journal_.total) {
    round.error = {Errc::unavailable, "the file ended before the length the site says it has", "truncated"};
    round.stop.set();
    return;
  }
  if (head || sink.had_enough()) return;
  if (!alone && head.error().reason == kHostBusy) return;
  // Others go on and will bring what this one has left; too many connections may be why it failed.
  round.most_connections = std::max<std::size_t>(round.sinks.size(), 1);
  if (!alone && comes_from_origin(head.error())) {
    round.objected = true;
    return;
  }
  if (!round.error) {
    round.error = head.error();
    round.wait = sink.wait();
  }
  round.stop.set();
}

bool FileMove::checkpoint_due(Time now) const {
  if (context_.unsaved == 0 || journal_.validator.empty()) return false;
  return context_.unsaved >= kCheckpointBytes || now - saved_ >= kCheckpointEvery;
}

// What was there before the sync began is on disk after it.
Task<Result<void>> FileMove::checkpoint(const Round* round) {
  context_.saving = context_.unsaved.exchange(0);
  saved_ = std::chrono::steady_clock::now();
  if (journal_.validator.empty()) {
    context_.saving = 0;
    co_return Result<void>();
  }
  Journal now = journal_;
  now.done = held(round);
  now.hash = hash_.done();
  auto saved = co_await files_.run([this, &now]() -> Result<void> {
    auto synced = file_.sync();
    if (synced) return save_journal(file_.journal(), now);
    if (synced.error().reason == "io_error") file_.discard();
    return synced;
  });
  context_.saving = 0;
  co_return saved;
}

}  // namespace trawl::transfer::detail
