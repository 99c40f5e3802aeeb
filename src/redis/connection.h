#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "redis/url.h"

struct redictContext;

namespace trawl::redis {

// What a command was answered. An error of the server is an Error, not a Reply.
struct Reply {
  enum class Kind { nothing, text, number, list };
  Kind kind = Kind::nothing;
  std::string text;
  std::int64_t number = 0;
  std::vector<Reply> list;
};

// One connection, used by one thread at a time. Every wait is bounded; after one that was not answered
// in time, or any other loss, the connection is dead and another has to be opened.
class Connection {
 public:
  static constexpr std::chrono::milliseconds kPatience{3'000};

  [[nodiscard]] static Result<Connection> open(const Address& address);

  // Errc::unavailable when the connection is lost, conflict when the server refuses the command.
  // `longer` is added to the patience, for commands that block on purpose.
  [[nodiscard]] Result<Reply> command(const std::vector<std::string>& words,
                                      std::chrono::milliseconds longer = {});
  // Sends all, then reads all answers: one round trip. The first refusal is returned.
  [[nodiscard]] Result<std::vector<Reply>> commands(const std::vector<std::vector<std::string>>& all);
  // Sends PING and does not wait: a subscription is answered with a message.
  void ask();
  // The next message of a subscription, or nothing after `limit`.
  [[nodiscard]] Result<std::optional<Reply>> message(std::chrono::milliseconds limit);

  [[nodiscard]] bool alive() const { return context_ != nullptr; }

 private:
  struct Free {
    void operator()(redictContext* context) const;
  };
  explicit Connection(std::unique_ptr<redictContext, Free> context) : context_(std::move(context)) {}
  [[nodiscard]] std::unexpected<Error> lost();
  void append(const std::vector<std::string>& words);
  [[nodiscard]] Result<Reply> receive();

  std::unique_ptr<redictContext, Free> context_;
};

}  // namespace trawl::redis
