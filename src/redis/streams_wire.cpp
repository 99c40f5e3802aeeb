#include "redis/streams_wire.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/log.h"
#include "redis/connection.h"

namespace trawl::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::array<std::string_view, 3> kClasses = {"high", "normal", "low"};
constexpr std::string_view kGroup = "nodes";
constexpr int kTakeTogether = 10;

// 0 for what is no message.
int priority_of(std::string_view message) {
  int priority = 0;
  const auto [end, error] = std::from_chars(message.data(), message.data() + message.size(), priority);
  const bool whole = error == std::errc() && end != message.data() + message.size() && *end == ' ';
  return whole && priority >= 1 && priority <= 10 ? priority : 0;
}

std::string_view class_of(int priority) {
  return kClasses[priority >= 8 ? 0 : priority >= 4 ? 1 : 2];
}

struct Entry {
  std::string stream, id, message;
};

// [[id, [field, value, ...]], ...]; the message is the field "m".
void read_entries(const std::string& stream, const Reply& list, std::vector<Entry>& out) {
  for (const Reply& item : list.list) {
    if (item.list.size() != 2) continue;
    Entry entry{stream, item.list[0].text, ""};
    const auto& fields = item.list[1].list;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
      if (fields[i].text == "m") entry.message = fields[i + 1].text;
    }
    out.push_back(std::move(entry));
  }
}

class StreamsLink final : public WireLink {
 public:
  StreamsLink(Connection connection, const StreamsOptions& options)
      : connection_(std::move(connection)), options_(options) {}

  // The groups are made again when Redis has lost them.
  Result<void> make_groups() {
    for (const std::string_view name : kClasses) {
      const auto made =
          connection_.command({"XGROUP", "CREATE", stream(name), std::string(kGroup), "0", "MKSTREAM"});
      if (!made && !made.error().message.contains("BUSYGROUP")) return fail(made.error());
    }
    return {};
  }

  Result<void> send(const std::vector<std::string>& messages) override {
    std::vector<std::vector<std::string>> all;
    for (const std::string& message : messages) {
      all.push_back({"XADD", stream(class_of(priority_of(message))), "MAXLEN", "~",
                     fmt::format("{}", options_.longest), "*", "m", message});
    }
    const auto sent = connection_.commands(all);
    if (!sent) return fail(sent.error());
    return {};
  }

  Result<std::vector<std::string>> receive(milliseconds limit) override {
    std::vector<Entry> entries;
    if (steady_clock::now() - claimed_ > options_.idle / 2) {
      claimed_ = steady_clock::now();
      if (auto done = take_over(entries); !done) return fail(done.error());
    }
    if (entries.empty()) {
      if (auto done = read(limit, entries); !done) return fail(done.error());
    }
    return confirm(entries);
  }

 private:
  [[nodiscard]] std::string stream(std::string_view name) const {
    return fmt::format("{}:{}", options_.prefix, name);
  }

  // First what is there, most urgent first; only then wait for any of them.
  Result<void> read(milliseconds limit, std::vector<Entry>& out) {
    for (const std::string_view name : kClasses) {
      if (auto done = read_streams({name}, {}, out); !done || !out.empty()) return done;
    }
    return read_streams({kClasses.begin(), kClasses.end()}, limit, out);
  }

  Result<void> read_streams(const std::vector<std::string_view>& names, milliseconds limit,
                            std::vector<Entry>& out) {
    std::vector<std::string> words{"XREADGROUP",      "GROUP", std::string(kGroup),
                                   options_.consumer, "COUNT", fmt::format("{}", kTakeTogether)};
    if (limit.count() > 0) words.insert(words.end(), {"BLOCK", fmt::format("{}", limit.count())});
    words.emplace_back("STREAMS");
    for (const auto name : names) words.push_back(stream(name));
    words.insert(words.end(), names.size(), ">");
    const auto reply = connection_.command(words, limit);
    if (!reply && reply.error().message.contains("NOGROUP")) return make_groups();
    if (!reply) return fail(reply.error());
    for (const Reply& part : reply->list) {
      if (part.list.size() == 2) read_entries(part.list[0].text, part.list[1], out);
    }
    return {};
  }

  // What another node took and left. One that was handed out too often is set aside.
  Result<void> take_over(std::vector<Entry>& out) {
    for (const std::string_view name : kClasses) {
      const std::string from = stream(name), idle = fmt::format("{}", options_.idle.count());
      const auto claimed = connection_.command({"XAUTOCLAIM", from, std::string(kGroup), options_.consumer,
                                                idle, "0", "COUNT", fmt::format("{}", kTakeTogether)});
      if (!claimed && claimed.error().message.contains("NOGROUP")) return make_groups();
      if (!claimed) return fail(claimed.error());
      std::vector<Entry> entries;
      if (claimed->list.size() >= 2) read_entries(from, claimed->list[1], entries);
      for (Entry& entry : entries) {
        const auto times = deliveries(entry);
        if (!times) return fail(times.error());
        if (*times >= kMostDeliveries) {
          if (auto done = set_aside(entry, "nobody confirmed it"); !done) return done;
        } else {
          out.push_back(std::move(entry));
        }
      }
    }
    return {};
  }

  Result<std::int64_t> deliveries(const Entry& entry) {
    const auto pending =
        connection_.command({"XPENDING", entry.stream, std::string(kGroup), entry.id, entry.id, "1"});
    if (!pending) return fail(pending.error());
    if (pending->list.empty() || pending->list[0].list.size() != 4) return 0;
    return pending->list[0].list[3].number;
  }

  // Hands out what is in order. It is confirmed at once: if this process dies before it looks, the
  // sweep of another finds the job.
  Result<std::vector<std::string>> confirm(std::vector<Entry>& entries) {
    std::vector<std::string> out;
    for (Entry& entry : entries) {
      if (priority_of(entry.message) == 0) {
        if (auto done = set_aside(entry, "it is no message"); !done) return fail(done.error());
        continue;
      }
      if (auto done = forget(entry); !done) return fail(done.error());
      out.push_back(std::move(entry.message));
    }
    return out;
  }

  Result<void> forget(const Entry& entry) {
    const auto done = connection_.commands(
        {{"XACK", entry.stream, std::string(kGroup), entry.id}, {"XDEL", entry.stream, entry.id}});
    if (!done) return fail(done.error());
    return {};
  }

  Result<void> set_aside(const Entry& entry, std::string_view why) {
    log_warn("a message was set aside", {{"stream", entry.stream}, {"id", entry.id}, {"why", why}});
    const auto kept = connection_.command({"XADD", stream("dead"), "MAXLEN", "~",
                                           fmt::format("{}", options_.longest), "*", "m", entry.message,
                                           "from", entry.stream, "id", entry.id, "why", std::string(why)});
    if (!kept) return fail(kept.error());
    return forget(entry);
  }

  Connection connection_;
  const StreamsOptions options_;
  steady_clock::time_point claimed_ = steady_clock::now();
};

}  // namespace

std::unique_ptr<Wire> make_streams_wire(const Address& address, asio::any_io_executor loop,
                                        StreamsOptions options) {
  const Connect connect = [address, options]() -> Result<std::unique_ptr<WireLink>> {
    auto connection = Connection::open(address);
    if (!connection) return fail(connection.error());
    auto link = std::make_unique<StreamsLink>(std::move(*connection), options);
    if (const auto made = link->make_groups(); !made) return fail(made.error());
    return link;
  };
  return make_wire(std::move(loop), "Redis " + options.prefix, connect, connect);
}

}  // namespace trawl::redis
