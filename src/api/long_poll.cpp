#include "api/long_poll.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "api/ownership.h"
#include "api/paging.h"

namespace trawl::api {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// The bus is a hint: now and then the row is looked at without one.
constexpr auto kLook = 5s;

struct Waiting {
  int& count;
  explicit Waiting(int& number) : count(number) { ++count; }
  ~Waiting() { --count; }
};

}  // namespace

Task<std::expected<downloads::Download, http::Response>> LongPoll::find(http::Request request) {
  using namespace asio::experimental::awaitable_operators;
  const auto wait = read_number(request, "wait", 0, 0, 60);
  if (!wait)
    co_return std::unexpected(http::error_response(request, 422, wait.error().reason, wait.error().message));
  const auto id = JobId::parse(request.path_param("id"));
  if (*wait == 0 || !id || waiting_ >= kMostWaiting) co_return co_await find_for(downloads_, request);

  const Waiting counted(waiting_);
  auto watch = downloads_.bus().subscribe(*id);
  auto found = co_await find_for(downloads_, request);
  if (!found) co_return found;
  const std::string state = request.query_param("state").value_or(std::string(to_text(found->job.state)));
  const std::string phase = request.query_param("phase").value_or(found->job.phase);
  const auto end = steady_clock::now() + std::chrono::seconds(*wait);
  while (open_ && !jobs::final(found->job.state) && to_text(found->job.state) == state &&
         found->job.phase == phase) {
    const auto left = end - steady_clock::now();
    if (left <= left.zero()) break;
    const auto woken =
        co_await (watch->next(std::min<steady_clock::duration>(left, kLook)) || released_.wait());
    const auto* event = std::get_if<0>(&woken);
    if (watch->lagged()) watch = downloads_.bus().subscribe(*id);
    if (event && *event && (*event)->type != events::Type::status) continue;
    found = co_await find_for(downloads_, request);
    if (!found) co_return found;
  }
  // Progress between two changes of state is worth telling too.
  co_return co_await find_for(downloads_, request);
}

void LongPoll::release() {
  open_ = false;
  released_.notify_all();
}

}  // namespace trawl::api
