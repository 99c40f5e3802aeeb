#include "db/notify_wire.h"

#include <fmt/format.h>

#include "db/detail/postgres_connection.h"

namespace trawl::db {
namespace {

using detail::PostgresConnection;

class NotifyLink final : public WireLink {
 public:
  NotifyLink(PostgresConnection connection, std::string channel)
      : connection_(std::move(connection)), channel_(std::move(channel)) {}

  Result<void> send(const std::vector<std::string>& messages) override {
    std::string calls;
    std::vector<Value> parameters{channel_};
    for (const std::string& message : messages) {
      if (message.size() > kMostBytes) continue;
      parameters.emplace_back(message);
      calls += fmt::format("{}pg_notify($1, ${})", calls.empty() ? "SELECT " : ", ", parameters.size());
    }
    if (calls.empty()) return {};
    const auto sent = connection_.query(calls, parameters);
    if (!sent) return fail(sent.error());
    return {};
  }

  Result<std::vector<std::string>> receive(std::chrono::milliseconds limit) override {
    auto notifications = connection_.notifications(limit);
    if (!notifications) return fail(notifications.error());
    if (notifications->empty()) {
      // A server that vanished without a word is noticed by asking.
      if (const auto there = connection_.query("SELECT 1"); !there) return fail(there.error());
    }
    std::vector<std::string> out;
    for (auto& notification : *notifications) out.push_back(std::move(notification.payload));
    return out;
  }

 private:
  PostgresConnection connection_;
  const std::string channel_;
};

Result<std::unique_ptr<WireLink>> connect(const std::string& url, const std::string& channel, bool listens) {
  auto connection = PostgresConnection::open(url);
  if (!connection) return fail(connection.error());
  // A notification need not be on disk to be sent.
  const std::string begin = listens ? "LISTEN " + channel : "SET synchronous_commit = off";
  if (const auto done = connection->run_script(begin); !done) return fail(done.error());
  return std::make_unique<NotifyLink>(std::move(*connection), channel);
}

}  // namespace

std::unique_ptr<Wire> make_notify_wire(const std::string& url, asio::any_io_executor loop,
                                       const std::string& channel) {
  return make_wire(
      std::move(loop), "PostgreSQL " + channel, [url, channel] { return connect(url, channel, false); },
      [url, channel] { return connect(url, channel, true); });
}

}  // namespace trawl::db
