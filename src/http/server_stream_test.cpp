#include <atomic>

#include "http/server_fixture.h"

namespace trawl::http {
namespace {

// Gives `pieces` pieces of `size` bytes, then waits for stop() if it is to stay.
class Pieces final : public BodyStream {
 public:
  struct Seen {
    std::atomic<int> asked = 0;
    std::promise<void> stopped;
  };
  Pieces(asio::any_io_executor executor, int pieces, std::size_t size, bool stays, Seen& seen)
      : left_(pieces), size_(size), stays_(stays), seen_(seen), changed_(executor) {}

  Task<Result<std::optional<std::string>>> next() override {
    ++seen_.asked;
    if (left_-- > 0) co_return std::string(size_, 'x');
    while (stays_ && !stopped_) co_await changed_.wait();
    co_return std::nullopt;
  }
  void stop() override {
    if (!std::exchange(stopped_, true)) seen_.stopped.set_value();
    changed_.notify_all();
  }

 private:
  int left_;
  std::size_t size_;
  bool stays_;
  Seen& seen_;
  Event changed_;
  bool stopped_ = false;
};

class HttpStream : public ServerTest {
 protected:
  void stream(const std::string& path, int pieces, std::size_t size, bool stays) {
    router.add(open_route("GET", path), [this, pieces, size, stays](Request) -> Task<Response> {
      co_return Response{.status = 200,
                         .headers = {},
                         .body = std::make_shared<Pieces>(context.get_executor(), pieces, size, stays, seen)};
    });
  }
  bool stopped() { return seen.stopped.get_future().wait_for(10s) == std::future_status::ready; }

  Pieces::Seen seen;
};

TEST_F(HttpStream, ComesInChunksAndLeavesTheConnectionUsable) {
  stream("/two", 2, 3, false);
  router.add(open_route("GET", "/hello"), text("hello"));
  start();
  RawClient client(port());
  client.send(
      "GET /two HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = client.receive_all();
  EXPECT_NE(all.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(all.find("\r\n\r\n3\r\nxxx\r\n3\r\nxxx\r\n0\r\n\r\nHTTP/1.1 200"), std::string::npos) << all;
  EXPECT_EQ(all.find("Content-Length: 0"), std::string::npos);
  EXPECT_TRUE(all.ends_with("hello"));
}

TEST_F(HttpStream, EndsWithTheConnectionForHttp10AndHasNoBodyForHead) {
  stream("/two", 2, 3, false);
  start();
  RawClient old(port());
  old.send("GET /two HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string all = old.receive_all();
  EXPECT_TRUE(all.ends_with("\r\n\r\nxxxxxx")) << all;
  EXPECT_EQ(all.find("chunked"), std::string::npos);
  RawClient head(port());
  head.send("HEAD /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(head.receive_all().ends_with("\r\n\r\n"));
}

TEST_F(HttpStream, AsksForNoMoreThanASlowReaderTakesAndDropsIt) {
  options.stream_send_limit = 300ms;
  stream("/much", 1 << 20, 64 << 10, true);
  start();
  RawClient client(port(), 4096);
  client.send("GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(stopped()) << "the slow reader is still served";
  // What the kernel takes of its own accord, far from the 64 GiB there are.
  EXPECT_LT(seen.asked, 1000);
}

TEST_F(HttpStream, IsToldWhenThePeerLeaves) {
  stream("/stays", 1, 3, true);
  start();
  {
    RawClient client(port());
    client.send("GET /stays HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_FALSE(client.receive().empty());
  }
  EXPECT_TRUE(stopped());
}

TEST_F(HttpStream, IsEndedWholeWhenTheServerStops) {
  stream("/stays", 1, 3, true);
  start();
  RawClient client(port());
  client.send("GET /stays HTTP/1.1\r\nHost: x\r\n\r\n");
  std::string all;
  while (all.find("xxx") == std::string::npos) all += client.receive();
  auto stopping = stop(60s);
  all += client.receive_all();
  EXPECT_TRUE(all.ends_with("\r\n0\r\n\r\n")) << all;
  stopping.get();
}

class HttpBodySource : public ServerTest {
 protected:
  HttpBodySource() {
    options.max_body = 100;
    Endpoint whole = open_route("POST", "/count"), unread = open_route("POST", "/unread");
    whole.streamed = unread.streamed = true;
    router.add(whole, [](Request request) -> Task<Response> {
      std::size_t bytes = 0, most = 0;
      while (true) {
        const auto piece = co_await request.stream->next();
        if (!piece) co_return error_response(request, piece.error());
        if (!*piece) break;
        bytes += (*piece)->size();
        most = std::max(most, (*piece)->size());
      }
      co_return Response{.status = 200,
                         .headers = {},
                         .body = std::to_string(bytes) + (most <= (64 << 10) ? " in pieces" : " at once")};
    });
    router.add(unread, text("no, thanks"));
    router.add(open_route("POST", "/plain"), text("read"));
  }
};

TEST_F(HttpBodySource, GivesABodyOfAnyLengthInPieces) {
  start();
  RawClient client(port());
  const std::string body(3 << 20, 'b');
  for (int i = 0; i < 2; ++i) {
    client.send("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n");
    client.send(body);
    EXPECT_EQ(client.reply().body, "3145728 in pieces");
  }
  client.send("POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" +
              body.substr(0, 0x100000) + "\r\n0\r\n\r\n");
  EXPECT_EQ(client.reply().body, "1048576 in pieces");
  EXPECT_EQ(client.get("/nothing").status, 404);
}

TEST_F(HttpBodySource, ClosesBehindABodyThatNobodyRead) {
  start();
  RawClient client(port());
  client.send("POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 200\r\n\r\n" + std::string(200, 'b'));
  const Reply reply = client.reply();
  EXPECT_EQ(reply.body, "no, thanks");
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(HttpBodySource, LetsTheClientContinueOnlyWhenTheBodyIsWanted) {
  start();
  const std::string expect = " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 200\r\n\r\n";
  RawClient refused(port());
  refused.send("POST /unread" + expect);
  EXPECT_EQ(refused.reply().status, 200);
  RawClient wanted(port());
  wanted.send("POST /count" + expect);
  EXPECT_EQ(wanted.reply().status, 100);
  wanted.send(std::string(200, 'b'));
  EXPECT_EQ(wanted.reply().body, "200 in pieces");
}

TEST_F(HttpBodySource, GivesUpOnABodyThatDrips) {
  options.read_timeout = 200ms;
  start();
  RawClient client(port());
  client.send("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 200\r\n\r\nb");
  EXPECT_EQ(client.reply().status, http_status(Errc::timeout));
}

TEST_F(HttpBodySource, LeavesTheLimitOfOtherRoutesAsItIs) {
  start();
  RawClient client(port());
  client.send("POST /plain HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n");
  EXPECT_EQ(client.reply().status, 413);
  RawClient chunked(port());
  chunked.send("POST /plain HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
               std::string(0x65, 'b') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.reply().status, 413);
}

}  // namespace
}  // namespace trawl::http
