#include "transfer/mover.h"

#include <algorithm>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "async/event.h"
#include "async/scope.h"
#include "base/log.h"
#include "transfer/file_part.h"
#include "transfer/segment_part.h"

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;

constexpr auto kProgressEvery = 200ms;

// What the tasks of one move share.
struct Moving {
  HttpClient& client;
  BlockingPool& files;
  const std::filesystem::path& folder;
  Budget& budget;
  Stop stop;  // Set from outside, or when a part has failed.
  std::optional<Error> error;
  std::optional<std::chrono::seconds> told_to_wait;  // With that error.
  Mover::Digests digests;
  std::size_t left = 0;
  Event ended;
};

bool is_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && !name.contains('/') && !name.contains('\0');
}

Result<void> judge_parts(const std::vector<media::Part>& parts) {
  for (const auto& part : parts) {
    if (!is_file_name(part.name))
      return fail(Errc::invalid, "a part's name is not the name of a file", "bad_request");
    if (part.url.empty() == part.segments.empty()) {
      return fail(Errc::invalid, fmt::format("part {} needs either a URL or segments", part.name),
                  "bad_request");
    }
    const auto same = [&part](const media::Part& other) { return other.name == part.name; };
    if (std::ranges::count_if(parts, same) > 1) {
      return fail(Errc::invalid, fmt::format("there are two parts called {}", part.name), "bad_request");
    }
  }
  return {};
}

// An error of the origin, not one of this machine.
bool is_missing(const Error& error) {
  return error.code != Errc::no_space && error.code != Errc::too_large && error.code != Errc::internal &&
         error.reason != "io_error" && error.reason != kHostBusy;
}

void remove_leftovers(const std::filesystem::path& folder, const std::string& name) {
  std::error_code ignored;
  for (const char* end : {".trawl", ".journal"}) std::filesystem::remove(folder / (name + end), ignored);
}

// The first error counts; it ends the other parts, which then fail with Errc::cancelled.
Task<void> move_part(Moving& moving, media::Part part, std::size_t index) {
  const bool in_one_piece = part.segments.empty();
  const bool optional = part.optional;
  const std::string name = part.name;
  auto moved = in_one_piece ? co_await move_file(moving.client, moving.files, std::move(part), index,
                                                 moving.folder, moving.budget, moving.stop)
                            : co_await move_segments(moving.client, moving.files, std::move(part), index,
                                                     moving.folder, moving.budget, moving.stop);
  if (!moved && optional && !moving.stop.is_set() && is_missing(moved.error())) {
    log_debug("a part is left out", {{"part", name}, {"error", moved.error().message}});
    co_await moving.files.run([&] { remove_leftovers(moving.folder, name); });
    moving.budget.set_total(index, 0);
  } else if (moved && *moved) {
    moving.digests.push_back(std::move(**moved));
  } else if (!moved && !moving.error) {
    moving.error = std::move(moved.error());
    moving.told_to_wait = moving.budget.told_to_wait(index);
    moving.stop.set();
  }
  --moving.left;
  moving.ended.notify_all();
}

Task<Result<Mover::Digests>> move_all(HttpClient& client, BlockingPool& files, std::vector<media::Part> parts,
                                      const std::filesystem::path& folder, MoveLimits limits,
                                      const Mover::Listener& listener, Stop given, OriginMemory& origins) {
  const auto executor = co_await asio::this_coro::executor;
  Budget budget(executor, limits, parts.size(), &origins);
  Moving moving{client, files, folder, budget, {}, {}, {}, {}, parts.size(), Event(executor)};
  const auto follows = given.on_set([stop = moving.stop]() mutable { stop.set(); });
  std::vector<std::string> names;
  for (const media::Part& part : parts) names.push_back(part.name);
  if (listener.on_hashed) {
    budget.on_hashed([&](std::size_t part, std::int64_t bytes) { listener.on_hashed(names[part], bytes); });
  }
  Scope scope(executor);
  for (std::size_t i = 0; i < parts.size(); ++i)
    scope.spawn("part", move_part(moving, std::move(parts[i]), i));
  while (moving.left > 0) {
    co_await moving.ended.wait_for(kProgressEvery);
    if (listener.on_progress) listener.on_progress(budget.progress(std::chrono::steady_clock::now()));
  }
  co_await scope.join();
  if (moving.told_to_wait && listener.on_told_to_wait) listener.on_told_to_wait(*moving.told_to_wait);
  if (moving.error) co_return fail(std::move(*moving.error));
  co_return std::move(moving.digests);
}

}  // namespace

Task<Result<Mover::Digests>> Mover::move(std::vector<media::Part> parts, std::filesystem::path folder,
                                         MoveLimits limits, Listener listener, const Stop& given) {
  if (auto judged = judge_parts(parts); !judged) co_return fail(judged.error());
  // The parts run on their own and use what is on this frame, so a cancelled move must not leave it
  // before they have ended: it becomes a stop.
  Stop stop;
  const auto follows = given.on_set([stop]() mutable { stop.set(); });
  const auto cancelled = std::make_shared<bool>(false);
  co_await asio::this_coro::reset_cancellation_state([stop, cancelled](asio::cancellation_type) mutable {
    *cancelled = true;
    stop.set();
    return asio::cancellation_type::none;
  });
  auto moved = co_await move_all(client_, files_, std::move(parts), folder, limits, listener, stop, origins_);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (*cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  co_return moved;
}

}  // namespace trawl::transfer
