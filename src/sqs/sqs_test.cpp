#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "async/event.h"
#include "async/run.h"
#include "sqs/sqs_wire.h"

namespace trawl::sqs {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(SqsUrl, NamesQueueServerAndRegion) {
  EXPECT_EQ(parse_url("sqs://sqs.eu-west-1.amazonaws.com/123/trawl"),
            (Queue{"https://sqs.eu-west-1.amazonaws.com/", "https://sqs.eu-west-1.amazonaws.com/123/trawl",
                   "eu-west-1"}));
  EXPECT_EQ(parse_url("sqs+http://127.0.0.1:9324/000/q?region=r1"),
            (Queue{"http://127.0.0.1:9324/", "http://127.0.0.1:9324/000/q", "r1"}));
}

TEST(SqsUrl, IsRefusedWhenItDoesNotSayEnough) {
  for (const char* text :
       {"", "https://sqs.eu-west-1.amazonaws.com/1/q", "sqs://host/1/q", "sqs://sqs.eu-west-1.amazonaws.com/",
        "sqs://sqs.eu-west-1.amazonaws.com/1", "sqs://k:s3cret@sqs.eu-west-1.amazonaws.com/1/q"})
    EXPECT_FALSE(parse_url(text)) << text;
  EXPECT_THAT(parse_url("sqs://k:s3cret@h/1/q?region=x").error().message, Not(HasSubstr("s3cret")));
}

// tests/support/sqs.py, ended with us: it serves until its standard input ends.
class Server {
 public:
  Server() {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execl("/usr/bin/python3", "python3", TRAWL_SQS_SERVER, nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = in[1];
    std::unique_ptr<FILE, int (*)(FILE*)> said(::fdopen(out[0], "r"), ::fclose);
    if (std::fscanf(said.get(), "%d", &port_) != 1) throw std::runtime_error("the SQS server does not start");
  }
  ~Server() {
    ::close(stdin_);
    ::waitpid(child_, nullptr, 0);
  }
  [[nodiscard]] Queue queue() const {
    return parse_url(fmt::format("sqs+http://127.0.0.1:{}/000000000000/trawl?region=eu-test-1", port_))
        .value();
  }

 private:
  pid_t child_ = 0;
  int stdin_ = -1, port_ = 0;
};

const SystemClock kClock;
const auto kKeys = std::make_shared<aws::Credentials>(
    aws::KeySources{.given = {.access = "AKIDTEST", .secret = "secret-of-the-test"}}, kClock);

struct Sqs : ::testing::Test {
  bool becomes(const std::function<bool()>& done) {
    return run_to_end(context, [&]() -> Task<bool> {
      const auto until = std::chrono::steady_clock::now() + 20s;
      while (!done() && std::chrono::steady_clock::now() < until) co_await changed.wait_for(20ms);
      co_return done();
    }());
  }
  std::unique_ptr<Wire> listener() {
    auto wire = make_sqs_wire(server.queue(), kKeys, context.get_executor());
    wire->start({.heard = [this](std::string m) { heard.push_back(std::move(m)), changed.notify_all(); },
                 .missed = {}});
    return wire;
  }

  Server server;
  asio::io_context context;
  Event changed{context.get_executor()};
  std::vector<std::string> heard;
};

TEST_F(Sqs, GivesEachMessageToOneNodeAndDeletesIt) {
  const auto a = listener(), b = listener();
  for (int i = 0; i < 25; ++i) a->send(fmt::format("5 {}", i));
  EXPECT_TRUE(becomes([&] { return heard.size() == 25; }));
  EXPECT_EQ(std::set<std::string>(heard.begin(), heard.end()).size(), 25u);
  Client client(server.queue(), kKeys);
  EXPECT_TRUE(becomes([&] {
    const auto left = client.call("ReceiveMessage", {{"MaxNumberOfMessages", 10}, {"WaitTimeSeconds", 0}});
    return left && !left->contains("Messages");
  }));
}

TEST_F(Sqs, StopsInTheMiddleOfALongPoll) {
  const auto a = listener();
  a->send("5 x");
  ASSERT_TRUE(becomes([&] { return heard.size() == 1; }));
  const auto began = std::chrono::steady_clock::now();
  a->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST_F(Sqs, IsRefusedWithTheWrongSecretAndDoesNotSayIt) {
  Client client(server.queue(),
                std::make_shared<aws::Credentials>(
                    aws::KeySources{.given = {.access = "AKIDTEST", .secret = "wr0ng"}}, kClock));
  const auto refused = client.call("SendMessageBatch", {{"Entries", json::array()}});
  EXPECT_EQ(refused.error().code, Errc::forbidden);
  EXPECT_THAT(refused.error().message, Not(HasSubstr("wr0ng")));
}

TEST_F(Sqs, SaysThatTheServerIsAway) {
  Client client({.endpoint = "http://127.0.0.1:1/", .url = "http://127.0.0.1:1/1/q", .region = "r"}, kKeys);
  EXPECT_EQ(client.call("ReceiveMessage", {}).error().code, Errc::unavailable);
}

}  // namespace
}  // namespace trawl::sqs
