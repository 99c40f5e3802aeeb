#include "redis/connection.h"

#include <hiredict/hiredict.h>
#include <poll.h>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::redis {
namespace {

using std::chrono::milliseconds;

timeval interval(milliseconds time) {
  return {.tv_sec = time.count() / 1000, .tv_usec = (time.count() % 1000) * 1000};
}

Reply reply_of(const redictReply& raw) {
  Reply out;
  switch (raw.type) {
    case REDICT_REPLY_INTEGER:
      out.kind = Reply::Kind::number;
      out.number = raw.integer;
      break;
    case REDICT_REPLY_ARRAY:
    case REDICT_REPLY_PUSH:
      out.kind = Reply::Kind::list;
      for (std::size_t i = 0; i < raw.elements; ++i) out.list.push_back(reply_of(*raw.element[i]));
      break;
    case REDICT_REPLY_NIL:
      break;
    default:
      out.kind = Reply::Kind::text;
      out.text.assign(raw.str ? raw.str : "", raw.str ? raw.len : 0);
  }
  return out;
}

}  // namespace

void Connection::Free::operator()(redictContext* context) const {
  redictFree(context);
}

std::unexpected<Error> Connection::lost() {
  const std::string why = context_ ? to_valid_utf8(context_->errstr) : "it is closed";
  context_.reset();
  return fail(Errc::unavailable, fmt::format("the connection to Redis was lost: {}", why),
              "redis_unavailable");
}

Result<Connection> Connection::open(const Address& address) {
  std::unique_ptr<redictContext, Free> context(
      redictConnectWithTimeout(address.host.c_str(), address.port, interval(kPatience)));
  if (!context || context->err != 0) {
    return fail(Errc::unavailable,
                fmt::format("cannot reach Redis at {}:{}: {}", address.host, address.port,
                            context ? to_valid_utf8(context->errstr) : "out of memory"),
                "redis_unavailable");
  }
  redictSetTimeout(context.get(), interval(kPatience));
  redictEnableKeepAliveWithInterval(context.get(), 5);
  Connection connection(std::move(context));
  if (!address.password.empty()) {
    std::vector<std::string> words{"AUTH"};
    if (!address.user.empty()) words.push_back(address.user);
    words.push_back(address.password);
    if (!connection.command(words))
      return fail(Errc::forbidden,
                  fmt::format("Redis at {}:{} refuses the password", address.host, address.port));
  }
  if (address.database != 0) {
    if (const auto chosen = connection.command({"SELECT", fmt::format("{}", address.database)}); !chosen)
      return fail(chosen.error());
  }
  return connection;
}

void Connection::append(const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  redictAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(), sizes.data());
}

Result<Reply> Connection::receive() {
  void* raw = nullptr;
  if (redictGetReply(context_.get(), &raw) != REDICT_OK || !raw) return lost();
  const std::unique_ptr<redictReply, void (*)(void*)> owned(static_cast<redictReply*>(raw), freeReplyObject);
  if (owned->type == REDICT_REPLY_ERROR)
    return fail(Errc::conflict, "Redis: " + to_valid_utf8({owned->str, owned->len}), "redis_refused");
  return reply_of(*owned);
}

Result<Reply> Connection::command(const std::vector<std::string>& words, milliseconds longer) {
  if (!context_) return lost();
  if (longer.count() > 0) redictSetTimeout(context_.get(), interval(kPatience + longer));
  append(words);
  auto reply = receive();
  if (longer.count() > 0 && context_) redictSetTimeout(context_.get(), interval(kPatience));
  return reply;
}

Result<std::vector<Reply>> Connection::commands(const std::vector<std::vector<std::string>>& all) {
  if (!context_) return lost();
  for (const auto& words : all) append(words);
  std::vector<Reply> out;
  std::optional<Error> refused;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto reply = receive();
    if (!reply && !context_) return fail(reply.error());
    if (!reply && !refused) refused = reply.error();
    out.push_back(reply ? std::move(*reply) : Reply());
  }
  if (refused) return fail(*refused);
  return out;
}

void Connection::ask() {
  if (!context_) return;
  append({"PING"});
  int sent = 0;
  redictBufferWrite(context_.get(), &sent);
}

Result<std::optional<Reply>> Connection::message(milliseconds limit) {
  if (!context_) return lost();
  void* ready = nullptr;
  if (redictGetReplyFromReader(context_.get(), &ready) != REDICT_OK) return lost();
  if (ready) {
    const std::unique_ptr<redictReply, void (*)(void*)> owned(static_cast<redictReply*>(ready),
                                                              freeReplyObject);
    return reply_of(*owned);
  }
  pollfd entry{.fd = context_->fd, .events = POLLIN, .revents = 0};
  if (::poll(&entry, 1, static_cast<int>(limit.count())) <= 0) return std::nullopt;
  auto reply = receive();
  if (!reply) return fail(reply.error());
  return std::move(*reply);
}

}  // namespace trawl::redis
