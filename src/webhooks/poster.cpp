#include "webhooks/poster.h"

#include <charconv>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "async/event.h"

namespace trawl::webhooks {
namespace {

constexpr std::size_t kMostAnswer = 64 * 1024;

// Reads an answer away. What comes after 64 KiB ends the request; the status has been seen by then.
class Discard final : public transfer::Sink {
 public:
  Result<void> begin(const transfer::Head& head) override {
    status_ = head.status;
    retry_after_ = head.header("retry-after");
    return {};
  }
  Result<void> data(std::span<const char> bytes) override {
    size_ += bytes.size();
    if (size_ <= kMostAnswer) return {};
    return fail(Errc::invalid, "the answer is longer than 64 KiB", "answer_too_long");
  }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::string& retry_after() const { return retry_after_; }

 private:
  int status_ = 0;
  std::string retry_after_;
  std::size_t size_ = 0;
};

// Retry-After as a number of seconds; the date form is not worth a clock comparison here.
std::optional<std::chrono::seconds> seconds_of(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

Outcome answered(int status, const std::string& retry_after) {
  Outcome outcome{.status = status, .error = {}, .retry_after = seconds_of(retry_after)};
  if (status < 200 || status >= 300) outcome.error = fmt::format("the receiver answered {}", status);
  return outcome;
}

}  // namespace

Task<Outcome> Poster::post(std::string url, std::string id, std::string body) const {
  const auto timestamp =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
  transfer::Request request{.url = std::move(url)};
  request.headers = {{"Content-Type", "application/json"},
                     {"User-Agent", options_.user_agent},
                     {"webhook-id", id},
                     {"webhook-timestamp", std::to_string(timestamp)}};
  if (!options_.secrets.empty()) {
    request.headers["webhook-signature"] = standard_signature(options_.secrets, id, timestamp, body);
    request.headers["X-Webhook-Signature"] = body_signature(options_.secrets.front(), body);
  }
  request.post = std::move(body);

  Discard answer;
  const transfer::Stop stop;
  using namespace asio::experimental::awaitable_operators;
  // Whichever ends first ends the other; the client lets go of `answer` before this goes on.
  const auto ended =
      co_await (client_.fetch(std::move(request), answer, stop, 0) || sleep_for(options_.timeout));
  if (ended.index() == 1) {
    co_return Outcome{.error =
                          fmt::format("the receiver did not answer within {} s", options_.timeout.count())};
  }
  const auto& head = std::get<0>(ended);
  if (head) co_return answered(head->status, answer.retry_after());
  if (head.error().reason == "answer_too_long") co_return answered(answer.status(), answer.retry_after());
  co_return Outcome{.error = head.error().message, .refused = head.error().code == Errc::forbidden};
}

}  // namespace trawl::webhooks
