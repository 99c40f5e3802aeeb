#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "http/server_fixture.h"

namespace trawl::http {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;

// A blocking client.
class SocketClient {
 public:
  explicit SocketClient(std::uint16_t port, const std::string& path = "/ws") : stream(context_) {
    stream.next_layer().connect({asio::ip::address_v4::loopback(), port});
    stream.handshake(response, "x", path);
  }

  void send(const std::string& text) { stream.write(asio::buffer(text)); }
  std::string receive() {
    beast::flat_buffer buffer;
    boost::system::error_code error;
    stream.read(buffer, error);
    return error ? "error: " + error.message() : beast::buffers_to_string(buffer.data());
  }
  // Reads until the server closes; its close code.
  int await_close() {
    beast::flat_buffer buffer;
    boost::system::error_code error;
    while (!error) stream.read(buffer, error), buffer.clear();
    return stream.reason().code;
  }

 private:
  asio::io_context context_;

 public:
  websocket::response_type response;
  websocket::stream<asio::ip::tcp::socket> stream;
};

class HttpWebSocket : public ServerTest {
 protected:
  HttpWebSocket() {
    router.add_websocket(open_route("GET", "/ws"), [](Request, WebSocket& socket) -> Task<void> {
      while (auto text = co_await socket.receive()) co_await socket.send(std::move(*text));
    });
  }
  // Serves /ws/{name} and says when the handler is done.
  void serve(WebSocketHandler handler) {
    router.add_websocket(open_route("GET", "/ws/{name}"),
                         [this, handler](Request request, WebSocket& socket) -> Task<void> {
                           co_await handler(std::move(request), socket);
                           done.set_value();
                         });
  }

  std::promise<void> done;
};

TEST_F(HttpWebSocket, EchoesAndClosesInGoodOrder) {
  start();
  SocketClient client(port());
  for (const auto& text : {std::string("hello"), std::string(), std::string(64 << 10, 'x')}) {
    client.send(text);
    EXPECT_EQ(client.receive(), text);
  }
  boost::system::error_code error;
  client.stream.close(websocket::close_code::normal, error);
  EXPECT_FALSE(error) << error.message();
}

TEST_F(HttpWebSocket, SendsTheDefaultHeadersWithTheHandshake) {
  start();
  SocketClient client(port());
  EXPECT_EQ(client.response["X-Content-Type-Options"], "nosniff");
  EXPECT_EQ(client.response["X-Request-ID"].size(), 36u);
  EXPECT_EQ(client.response["Server"], "trawl");
}

TEST_F(HttpWebSocket, GivesTheHandlerThePathAndQuery) {
  serve([](Request request, WebSocket& socket) -> Task<void> {
    co_await socket.send(request.path_param("name") + "?" + request.query_param("cursor").value_or("none"));
  });
  start();
  SocketClient client(port(), "/ws/a%20b?cursor=7");
  EXPECT_EQ(client.receive(), "a b?7");
  EXPECT_EQ(client.await_close(), 1000);
}

TEST_F(HttpWebSocket, SendsAndReceivesAtTheSameTime) {
  static constexpr int kMessages = 500;
  serve([](Request, WebSocket& socket) -> Task<void> {
    using namespace asio::experimental::awaitable_operators;
    const auto sender = [](WebSocket& out) -> Task<void> {
      for (int i = 0; i < kMessages; ++i) co_await out.send(std::string(4000, 's'));
    };
    const auto receiver = [](WebSocket& in) -> Task<int> {
      int count = 0;
      while (count < kMessages && co_await in.receive()) ++count;
      co_return count;
    };
    const int received = co_await (sender(socket) && receiver(socket));
    co_await socket.send(std::to_string(received));
  });
  start();
  SocketClient client(port(), "/ws/both");
  std::thread writer([&client] {
    for (int i = 0; i < kMessages; ++i) client.send(std::string(4000, 'c'));
  });
  for (int i = 0; i < kMessages; ++i) EXPECT_EQ(client.receive().size(), 4000u);
  EXPECT_EQ(client.receive(), std::to_string(kMessages));
  writer.join();
}

TEST_F(HttpWebSocket, FailsASendToAPeerThatDoesNotRead) {
  options.websocket_send_limit = 200ms;
  std::promise<Errc> code;
  serve([&code](Request, WebSocket& socket) -> Task<void> {
    for (;;) {
      const auto sent = co_await socket.send(std::string(1 << 20, 'x'));
      if (sent) continue;
      code.set_value(sent.error().code);
      co_return;
    }
  });
  start();
  SocketClient client(port(), "/ws/stalled");
  EXPECT_EQ(code.get_future().get(), Errc::timeout);
}

TEST_F(HttpWebSocket, OutlivesAReceiveThatIsGivenUp) {
  serve([](Request, WebSocket& socket) -> Task<void> {
    using namespace asio::experimental::awaitable_operators;
    const auto first = co_await (socket.receive() || sleep_for(20ms));
    co_await socket.send(first.index() == 1 ? "gave up" : "received");
    const auto next = co_await socket.receive();
    co_await socket.send(next.value_or("nothing"));
  });
  start();
  SocketClient client(port(), "/ws/patient");
  EXPECT_EQ(client.receive(), "gave up");
  client.send("late");
  EXPECT_EQ(client.receive(), "late");
  EXPECT_EQ(client.await_close(), 1000);
}

TEST_F(HttpWebSocket, TellsASenderWhoNeverReceivesThatThePeerIsGone) {
  std::promise<Errc> code;
  serve([&code](Request, WebSocket& socket) -> Task<void> {
    for (;;) {
      const auto sent = co_await socket.send("tick");
      if (!sent) co_return code.set_value(sent.error().code);
      co_await sleep_for(1ms);
    }
  });
  start();
  SocketClient client(port(), "/ws/push");
  EXPECT_EQ(client.receive(), "tick");
  client.stream.close(websocket::close_code::normal);
  EXPECT_EQ(code.get_future().get(), Errc::unavailable);
}

TEST_F(HttpWebSocket, RefusesASecondSendWhileOneIsInFlight) {
  options.websocket_send_limit = 300ms;
  std::promise<Errc> code;
  serve([&code](Request, WebSocket& socket) -> Task<void> {
    using namespace asio::experimental::awaitable_operators;
    const auto fill = [](WebSocket& out) -> Task<Result<void>> {
      for (;;) {
        if (auto sent = co_await out.send(std::string(1 << 20, 'x')); !sent) co_return sent;
      }
    };
    const auto [first, second] = co_await (fill(socket) && fill(socket));
    code.set_value(second.error().code);
  });
  start();
  SocketClient client(port(), "/ws/twice");
  EXPECT_EQ(code.get_future().get(), Errc::conflict);
}

TEST_F(HttpWebSocket, AnswersPingsWhileNobodyReceives) {
  Gate gate{context};
  serve([&gate](Request, WebSocket&) -> Task<void> { co_await gate.pass(); });
  start();
  SocketClient client(port(), "/ws/ping");
  bool answered = false;
  client.stream.control_callback([&](websocket::frame_type kind, beast::string_view payload) {
    if (kind != websocket::frame_type::pong) return;
    answered = payload == "are you there";
    gate.open();
  });
  client.stream.ping("are you there");
  EXPECT_EQ(client.await_close(), 1000);
  EXPECT_TRUE(answered);
}

TEST_F(HttpWebSocket, PingsASilentPeerAndDropsOneThatDoesNotAnswer) {
  options.websocket_idle = 200ms;
  serve([](Request, WebSocket& socket) -> Task<void> { co_await socket.receive(); });
  start();
  SocketClient client(port(), "/ws/silent");
  EXPECT_EQ(done.get_future().wait_for(20s), std::future_status::ready);
}

TEST_F(HttpWebSocket, RefusesMessagesItCannotTake) {
  start();
  SocketClient large(port());
  large.send(std::string((64 << 10) + 1, 'x'));
  EXPECT_EQ(large.await_close(), 1009);
  SocketClient binary(port());
  binary.stream.binary(true);
  binary.send("x");
  EXPECT_EQ(binary.await_close(), 1003);
  // A client of the library would check its own text: the frame is written by hand, masked with zeros.
  RawClient broken(port());
  broken.get("/ws",
             "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
             "dGhlIHNhbXBsZSBub25jZQ==\r\n");
  broken.send(std::string("\x81\x82\0\0\0\0\xc3\x28", 8));
  EXPECT_EQ(broken.receive().substr(0, 4), std::string("\x88\x02\x03\xef", 4));  // 1007
}

TEST_F(HttpWebSocket, ClosesWith1011WhenTheHandlerThrows) {
  serve([](Request, WebSocket&) -> Task<void> {
    throw std::runtime_error("bug");
    co_return;
  });
  start();
  EXPECT_EQ(SocketClient(port(), "/ws/throw").await_close(), 1011);
}

TEST_F(HttpWebSocket, LetsTheHandlerChooseTheCloseCode) {
  serve([](Request, WebSocket& socket) -> Task<void> {
    co_await socket.close(4001, std::string(200, 'r'));
    co_await socket.close(4002, "too late");
    EXPECT_FALSE(co_await socket.send("too late"));
    EXPECT_FALSE(co_await socket.receive());
  });
  start();
  SocketClient client(port(), "/ws/close");
  EXPECT_EQ(client.await_close(), 4001);
  EXPECT_EQ(client.stream.reason().reason.size(), 123u);
}

TEST_F(HttpWebSocket, AnswersAPlainGetWith426) {
  start();
  const Reply reply = RawClient(port()).get("/ws");
  EXPECT_EQ(reply.status, 426);
  EXPECT_EQ(reply.field("Upgrade"), "websocket");
  EXPECT_EQ(reply.field("Connection"), "upgrade");
}

TEST_F(HttpWebSocket, RefusesAHandshakeThatIsMalformed) {
  start();
  const std::string upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  EXPECT_EQ(RawClient(port()).get("/ws", upgrade + "Sec-WebSocket-Version: 13\r\n").status, 400);
  const Reply old = RawClient(port()).get("/ws", upgrade + key + "Sec-WebSocket-Version: 8\r\n");
  EXPECT_EQ(old.status, 426);
  EXPECT_EQ(old.field("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(RawClient(port()).get("/none", upgrade + key + "Sec-WebSocket-Version: 13\r\n").status, 404);
}

TEST_F(HttpWebSocket, AsksTheGuardBeforeItAccepts) {
  router.add_websocket(
      open_route("GET", "/guarded"),
      [](Request, WebSocket& socket) -> Task<void> { co_await socket.send("in"); },
      [](Request& request) -> Task<std::optional<Response>> {
        if (request.query_param("key") == "good") co_return std::nullopt;
        co_return error_response(request, 401, "unauthorized", "no");
      });
  start();
  EXPECT_EQ(SocketClient(port(), "/guarded?key=good").receive(), "in");
  const std::string upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
      "dGhlIHNhbXBsZSBub25jZQ==\r\n";
  EXPECT_EQ(RawClient(port()).get("/guarded?key=bad", upgrade).status, 401);
}

TEST_F(HttpWebSocket, SaysGoodbyeWhenTheServerStops) {
  start();
  SocketClient client(port());
  client.send("x");
  EXPECT_EQ(client.receive(), "x");
  auto stopped = stop(60s);
  EXPECT_EQ(client.await_close(), 1001);
  stopped.get();
}

TEST_F(HttpWebSocket, DoesNotHoldUpAStopBeyondTheGrace) {
  serve([](Request, WebSocket& socket) -> Task<void> {
    while (co_await socket.send(std::string(1 << 20, 'x'))) continue;
  });
  start();
  SocketClient stalled(port(), "/ws/stalled");
  EXPECT_FALSE(stalled.receive().empty());
  const auto begun = std::chrono::steady_clock::now();
  stop(100ms).get();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

}  // namespace
}  // namespace trawl::http
