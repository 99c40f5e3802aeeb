#include "access/redis_rate_limiter.h"

#include <fmt/format.h>

#include "base/log.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

// The same arithmetic as decide_rate() and give_back(), in microseconds, which
// a Lua number holds exactly. KEYS are the meters to take, then those to give
// back; ARGV the number of the first and then interval and count of each.
constexpr std::string_view kScript = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local taken = tonumber(ARGV[1])
local function keep(key, state)
  redis.call('SET', key, string.format('%.0f', state), 'PX', math.ceil((state - now) / 1000) + 1)
end
for i = taken + 1, #KEYS do
  local state = tonumber(redis.call('GET', KEYS[i]) or '0') - tonumber(ARGV[2 * i])
  if state > now then keep(KEYS[i], state) else redis.call('DEL', KEYS[i]) end
end
local answer, next_states, allowed = {}, {}, true
for i = 1, taken do
  local interval, count = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local full = interval * count
  local busy = math.min(math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now), now + full)
  local nxt = busy + interval
  next_states[i] = nxt
  if nxt - full > now then
    allowed = false
    for _, n in ipairs({0, 0, nxt - full - now, busy - now}) do answer[#answer + 1] = n end
  else
    for _, n in ipairs({1, math.floor((now + full - nxt) / interval), 0, nxt - now}) do answer[#answer + 1] = n end
  end
end
if allowed then
  for i = 1, taken do keep(KEYS[i], next_states[i]) end
end
return answer
)";

std::vector<std::string> command_of(const std::string& script, const std::vector<Meter>& meters,
                                    const std::vector<Meter>& back) {
  std::vector<std::string> words{"EVALSHA", script, std::to_string(meters.size() + back.size())};
  std::vector<std::string> numbers{std::to_string(meters.size())};
  for (const auto* group : {&meters, &back}) {
    for (const Meter& meter : *group) {
      words.push_back("trawl:rate:" + meter.name);
      const auto interval = std::chrono::duration_cast<microseconds>(meter.rate.period) / meter.rate.count;
      numbers.push_back(std::to_string(std::max<std::int64_t>(1, interval.count())));
      numbers.push_back(std::to_string(meter.rate.count));
    }
  }
  words.insert(words.end(), numbers.begin(), numbers.end());
  return words;
}

}  // namespace

Task<RateVerdict> RedisRateLimiter::take(std::vector<Meter> meters, std::vector<Meter> back) {
  if (meters.empty() && back.empty()) co_return RateVerdict{};
  if (std::chrono::steady_clock::now() < try_again_) co_return fallback_.take_now(meters, back);
  auto verdict = co_await thread_.run([&] { return ask(meters, back); });
  if (verdict) {
    if (std::exchange(complained_, false)) log_info("requests are counted in Redis again");
    co_return std::move(*verdict);
  }
  try_again_ = std::chrono::steady_clock::now() + 1s;
  if (!std::exchange(complained_, true))
    log_warn("Redis does not answer: each node counts requests by itself",
             {{"error", verdict.error().message}});
  co_return fallback_.take_now(meters, back);
}

Result<void> RedisRateLimiter::connect() {
  if (connection_ && connection_->alive()) return {};
  auto opened = redis::Connection::open(address_);
  if (!opened) return fail(std::move(opened.error()));
  connection_.emplace(std::move(*opened));
  auto loaded = connection_->command({"SCRIPT", "LOAD", std::string(kScript)});
  if (!loaded) return fail(std::move(loaded.error()));
  script_ = std::move(loaded->text);
  return {};
}

Result<RateVerdict> RedisRateLimiter::ask(const std::vector<Meter>& meters, const std::vector<Meter>& back) {
  if (auto connected = connect(); !connected) return fail(std::move(connected.error()));
  const auto reply = connection_->command(command_of(script_, meters, back));
  if (!reply) {
    connection_.reset();  // Also when it only forgot the script (SCRIPT FLUSH,
                          // another server): load it anew.
    return fail(reply.error());
  }
  if (meters.empty()) return RateVerdict{};
  if (reply->list.size() != 4 * meters.size())
    return fail(Errc::unavailable, "Redis answered a rate script with something else");
  std::vector<RateDecision> decisions;
  for (std::size_t i = 0; i < reply->list.size(); i += 4) {
    decisions.push_back({.allowed = reply->list[i].number == 1,
                         .remaining = reply->list[i + 1].number,
                         .retry_after = microseconds(reply->list[i + 2].number),
                         .reset_after = microseconds(reply->list[i + 3].number),
                         .next = {}});
  }
  return summarise(meters, decisions);
}

}  // namespace trawl::access
