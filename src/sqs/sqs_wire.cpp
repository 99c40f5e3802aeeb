#include "sqs/sqs_wire.h"

#include <fmt/format.h>

namespace trawl::sqs {
namespace {

constexpr std::size_t kTogether = 10;  // The most that SQS takes or gives in one call.
constexpr int kPollSeconds = 20;

std::string_view text(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

class SqsLink final : public WireLink {
 public:
  SqsLink(const Queue& queue, std::shared_ptr<aws::Credentials> credentials)
      : client_(queue, std::move(credentials)) {}

  Result<void> send(const std::vector<std::string>& messages) override {
    for (std::size_t first = 0; first < messages.size(); first += kTogether) {
      json::array entries;
      for (std::size_t i = first; i < std::min(first + kTogether, messages.size()); ++i)
        entries.push_back({{"Id", fmt::format("{}", i)}, {"MessageBody", messages[i]}});
      if (auto sent = client_.call("SendMessageBatch", {{"Entries", std::move(entries)}}); !sent)
        return fail(sent.error());
    }
    return {};
  }

  // However long the caller would wait: a short poll costs as much as a long one. interrupt() ends it.
  Result<std::vector<std::string>> receive(std::chrono::milliseconds) override {
    const auto answer = client_.call(
        "ReceiveMessage",
        {{"MaxNumberOfMessages", kTogether}, {"WaitTimeSeconds", kPollSeconds}, {"VisibilityTimeout", 30}});
    if (!answer) return fail(answer.error());
    std::vector<std::string> out;
    json::array taken;
    const auto* messages = answer->if_contains("Messages");
    for (const auto& message : messages && messages->is_array() ? messages->get_array() : json::array()) {
      if (!message.is_object()) continue;
      out.emplace_back(text(message.get_object(), "Body"));
      taken.push_back({{"Id", fmt::format("{}", taken.size())},
                       {"ReceiptHandle", text(message.get_object(), "ReceiptHandle")}});
    }
    if (taken.empty()) return out;
    if (auto deleted = client_.call("DeleteMessageBatch", {{"Entries", std::move(taken)}}); !deleted)
      return fail(deleted.error());
    return out;
  }

  void interrupt() override { client_.interrupt(); }

 private:
  Client client_;
};

}  // namespace

std::unique_ptr<Wire> make_sqs_wire(const Queue& queue, std::shared_ptr<aws::Credentials> credentials,
                                    asio::any_io_executor loop) {
  const Connect connect = [queue, credentials]() -> Result<std::unique_ptr<WireLink>> {
    return std::make_unique<SqsLink>(queue, credentials);
  };
  return make_wire(std::move(loop), "SQS " + queue.url, connect, connect);
}

}  // namespace trawl::sqs
