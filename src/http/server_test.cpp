#include <zlib.h>

#include "http/server_fixture.h"

namespace trawl::http {
namespace {

class HttpServer : public ServerTest {
 protected:
  HttpServer() {
    router.add(open_route("GET", "/hello"), text("hello"));
    router.add(open_route("POST", "/echo"), [](Request request) -> Task<Response> {
      co_return Response{.status = 200, .headers = {}, .body = request.body};
    });
  }
};

TEST_F(HttpServer, ServesManyRequestsOnOneConnection) {
  start();
  RawClient client(port());
  for (int i = 0; i < 3; ++i) {
    const Reply reply = client.get("/hello");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello");
    EXPECT_EQ(reply.field("Connection"), "");
  }
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  start();
  RawClient client(port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\noneGET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nth\r\n3;x=y\r\nree\r\n0\r\n\r\nGET /no HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.reply().body, "one");
  EXPECT_EQ(client.reply().body, "hello");
  EXPECT_EQ(client.reply().body, "three");
  EXPECT_EQ(client.reply().status, 404);
}

TEST_F(HttpServer, ReadsARequestThatComesByteByByte) {
  start();
  RawClient client(port());
  for (const char c : std::string("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n")) {
    client.send({&c, 1});
  }
  EXPECT_EQ(client.reply().body, "hello");
}

TEST_F(HttpServer, ClosesWhenTheClientAsksTo) {
  start();
  RawClient client(port());
  const Reply reply = client.get("/hello", "Connection: close\r\n");
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(HttpServer, ClosesAfterAnHttp10RequestUnlessAskedToStay) {
  start();
  RawClient plain(port());
  plain.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(plain.reply().field("Connection"), "close");
  EXPECT_EQ(plain.receive_all(), "");
  RawClient staying(port());
  for (int i = 0; i < 2; ++i) {
    staying.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(staying.reply().field("Connection"), "keep-alive");
  }
}

TEST_F(HttpServer, AnswersHeadWithTheLengthButWithoutTheBody) {
  start();
  RawClient client(port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.reply(true).field("Content-Length"), "5");
  EXPECT_EQ(client.get("/hello").body, "hello");  // Nothing of a body came between.
}

TEST_F(HttpServer, SendsTheSecurityHeadersAndNoServerVersion) {
  start();
  RawClient client(port());
  for (const char* path : {"/hello", "/missing"}) {
    const Reply reply = client.get(path);
    EXPECT_EQ(reply.field("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(reply.field("X-Frame-Options"), "DENY");
    EXPECT_EQ(reply.field("Content-Security-Policy"), "default-src 'self'");
    EXPECT_EQ(reply.field("Server"), "");
    EXPECT_NE(reply.field("X-Process-Time"), "");
    EXPECT_NE(reply.field("Date"), "");
  }
}

TEST_F(HttpServer, ReturnsTheClientsRequestIdOrMakesOne) {
  start();
  RawClient client(port());
  EXPECT_EQ(client.get("/hello", "X-Request-ID: abc-1.2_3\r\n").field("X-Request-ID"), "abc-1.2_3");
  EXPECT_EQ(client.get("/hello", "X-Request-ID: no spaces\r\n").field("X-Request-ID").size(), 36u);
  EXPECT_EQ(
      client.get("/hello", "X-Request-ID: " + std::string(65, 'a') + "\r\n").field("X-Request-ID").size(),
      36u);
  EXPECT_EQ(client.get("/hello").field("X-Request-ID").at(14), '7');
}

TEST_F(HttpServer, LogsTheRequestWithoutItsQuery) {
  start();
  RawClient client(port());
  configure_log(LogLevel::info, LogFormat::json);
  ::testing::internal::CaptureStderr();
  client.get("/hello?api_key=secret", "X-Request-ID: id-1\r\nUser-Agent: test/1\r\n");
  client.get("/hello");  // The line of a request is written before the next one is read.
  const std::string log = ::testing::internal::GetCapturedStderr();
  configure_log(LogLevel::off, LogFormat::json);
  EXPECT_FALSE(log.contains("secret")) << log;
  for (const char* part :
       {R"("request_id":"id-1")", R"("method":"GET")", R"("path":"/hello")", R"("client_ip":"127.0.0.1")",
        R"("user_agent":"test/1")", R"("status_code":200)", R"("duration_ms":)", R"("bytes":5)"}) {
    EXPECT_TRUE(log.contains(part)) << part << " in " << log;
  }
}

TEST_F(HttpServer, RefusesABodyThatIsTooLarge) {
  options.max_body = 10;
  start();
  RawClient announced(port());
  announced.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  const Reply refused = announced.reply();
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(parse_json(refused.body)->at("error_code"), "too_large");
  EXPECT_EQ(announced.receive_all(), "");
  RawClient chunked(port());
  chunked.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.reply().status, 413);
  RawClient exact(port());
  exact.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789");
  EXPECT_EQ(exact.reply().body, "0123456789");
}

TEST_F(HttpServer, RefusesAHeaderThatIsTooLarge) {
  options.max_header = 1024;
  start();
  RawClient wide(port());
  EXPECT_EQ(wide.get("/hello", "X: " + std::string(2000, 'a') + "\r\n").status, 431);
  RawClient endless(port());
  endless.send("GET /" + std::string(2000, 'a'));
  EXPECT_EQ(endless.reply().status, 414);
  RawClient fields(port());
  std::string many;
  for (int i = 0; i < 120; ++i) many += "a:\r\n";
  EXPECT_EQ(fields.get("/hello", many).status, 431);
}

TEST_F(HttpServer, AnswersExpectContinueBeforeTheBodyIsSent) {
  start();
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.reply(true).status, 100);
  client.send("body");
  EXPECT_EQ(client.reply().body, "body");
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: a miracle\r\n\r\n");
  EXPECT_EQ(client.reply().status, 417);
}

TEST_F(HttpServer, TellsASlowClientThatItsTimeIsUp) {
  options.read_timeout = 150ms;
  start();
  RawClient head(port());
  head.send("GET /hello HTTP/1.1\r\nHo");
  EXPECT_EQ(head.reply().status, 408);
  EXPECT_EQ(head.receive_all(), "");
  RawClient body(port());
  body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(body.reply().status, 408);
  EXPECT_EQ(body.receive_all(), "");
}

TEST_F(HttpServer, ClosesAnIdleConnectionWithoutAWord) {
  options.read_timeout = 150ms;
  start();
  RawClient fresh(port());
  EXPECT_EQ(fresh.receive_all(), "");
  RawClient used(port());
  EXPECT_EQ(used.get("/hello").status, 200);
  EXPECT_EQ(used.receive_all(), "");
}

TEST_F(HttpServer, TurnsAwayConnectionsOverTheLimit) {
  options.max_connections = 1;
  start();
  auto first = std::make_unique<RawClient>(port());
  EXPECT_EQ(first->get("/hello").status, 200);
  RawClient second(port());
  const Reply busy = second.reply();
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.field("Connection"), "close");
  EXPECT_EQ(second.receive_all(), "");
  EXPECT_EQ(first->get("/hello", "Connection: close\r\n").status, 200);
  EXPECT_EQ(first->receive_all(), "");
  first.reset();
  int status = 0;
  for (int i = 0; i < 100 && status != 200; ++i) status = RawClient(port()).get("/hello").status;
  EXPECT_EQ(status, 200);
}

TEST_F(HttpServer, HidesWhatAHandlerThrows) {
  router.add(open_route("GET", "/throw"), [](Request) -> Task<Response> {
    throw std::runtime_error("a secret path");
    co_return Response{};
  });
  start();
  RawClient client(port());
  const Reply reply = client.get("/throw");
  EXPECT_EQ(reply.status, 500);
  EXPECT_FALSE(reply.body.contains("secret"));
  EXPECT_EQ(parse_json(reply.body)->at("request_id").as_string(), reply.field("X-Request-ID"));
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST_F(HttpServer, KeepsAHandlersLineBreaksOutOfTheHeader) {
  router.add(open_route("GET", "/split"), [](Request) -> Task<Response> {
    Response response{.status = 200, .headers = {}, .body = {}};
    response.headers.set("X-Name", "a\r\nX-Evil: 1");
    co_return response;
  });
  start();
  const Reply reply = RawClient(port()).get("/split");
  EXPECT_EQ(reply.field("X-Evil"), "");
  EXPECT_EQ(reply.field("X-Name"), "a  X-Evil: 1");
}

std::string gunzip(const std::string& packed) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return {};
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int end = inflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return end == Z_STREAM_END ? out : std::string();
}

TEST_F(HttpServer, CompressesLongJsonForClientsThatTakeGzip) {
  for (const int size : {10, 5000, 200'000}) {
    router.add(open_route("GET", "/json/" + std::to_string(size)), [size](Request) -> Task<Response> {
      co_return json_response(200, json::array(static_cast<std::size_t>(size) / 5));
    });
  }
  start();
  RawClient client(port());
  for (const std::string path : {"/json/5000", "/json/200000"}) {
    const Reply plain = client.get(path);
    EXPECT_EQ(plain.field("Content-Encoding"), "");
    EXPECT_EQ(plain.field("Vary"), "Accept-Encoding");
    const Reply packed = client.get(path, "Accept-Encoding: br, gzip\r\n");
    EXPECT_EQ(packed.field("Content-Encoding"), "gzip");
    EXPECT_LT(packed.body.size(), plain.body.size());
    EXPECT_EQ(gunzip(packed.body), plain.body);
    EXPECT_EQ(client.get(path, "Accept-Encoding: gzip;q=0\r\n").field("Content-Encoding"), "");
  }
  EXPECT_EQ(client.get("/json/10", "Accept-Encoding: gzip\r\n").field("Content-Encoding"), "");
}

TEST_F(HttpServer, RefusesToStartOnAPortThatIsTaken) {
  start();
  ServerOptions same = options;
  same.port = port();
  auto second = make_server(context.get_executor(), pool, router, same);
  const auto started = asio::co_spawn(context, second->start(), asio::use_future).get();
  EXPECT_EQ(started.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace trawl::http
