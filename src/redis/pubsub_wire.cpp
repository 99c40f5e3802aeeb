#include "redis/pubsub_wire.h"

#include "redis/connection.h"

namespace trawl::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class Publisher final : public WireLink {
 public:
  Publisher(Connection connection, std::string channel)
      : connection_(std::move(connection)), channel_(std::move(channel)) {}

  Result<void> send(const std::vector<std::string>& messages) override {
    std::vector<std::vector<std::string>> all;
    for (const std::string& message : messages) all.push_back({"PUBLISH", channel_, message});
    const auto sent = connection_.commands(all);
    if (!sent) return fail(sent.error());
    return {};
  }
  Result<std::vector<std::string>> receive(milliseconds) override { return std::vector<std::string>(); }

 private:
  Connection connection_;
  const std::string channel_;
};

// Asks now and then whether the server is still there: a link that is half open looks like silence.
class Subscriber final : public WireLink {
 public:
  explicit Subscriber(Connection connection) : connection_(std::move(connection)) {}

  Result<void> send(const std::vector<std::string>&) override { return {}; }

  Result<std::vector<std::string>> receive(milliseconds limit) override {
    const auto silence = steady_clock::now() - heard_;
    if (silence > 2 * kAsk) return fail(Errc::unavailable, "Redis has fallen silent", "redis_unavailable");
    if (silence > kAsk && !std::exchange(asked_, true)) connection_.ask();
    auto message = connection_.message(limit);
    if (!message) return fail(message.error());
    std::vector<std::string> out;
    if (!*message) return out;
    heard_ = steady_clock::now();
    asked_ = false;
    auto& parts = (*message)->list;
    if (parts.size() == 3 && parts[0].text == "message") out.push_back(std::move(parts[2].text));
    return out;
  }

 private:
  static constexpr milliseconds kAsk{2'000};
  Connection connection_;
  steady_clock::time_point heard_ = steady_clock::now();
  bool asked_ = false;
};

}  // namespace

std::unique_ptr<Wire> make_pubsub_wire(const Address& address, asio::any_io_executor loop,
                                       const std::string& channel) {
  const Connect sending = [address, channel]() -> Result<std::unique_ptr<WireLink>> {
    auto connection = Connection::open(address);
    if (!connection) return fail(connection.error());
    return std::make_unique<Publisher>(std::move(*connection), channel);
  };
  const Connect listening = [address, channel]() -> Result<std::unique_ptr<WireLink>> {
    auto connection = Connection::open(address);
    if (!connection) return fail(connection.error());
    if (const auto done = connection->command({"SUBSCRIBE", channel}); !done) return fail(done.error());
    return std::make_unique<Subscriber>(std::move(*connection));
  };
  return make_wire(std::move(loop), "Redis " + channel, sending, listening);
}

}  // namespace trawl::redis
