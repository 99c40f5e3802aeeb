#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/id.h"
#include "http/server_fixture.h"
#include "http/static_file.h"

namespace trawl::http {
namespace {

// The byte a test file has at `offset`: no two blocks are alike.
char byte_at(std::uint64_t offset) {
  return static_cast<char>((offset * 2654435761u) >> 13);
}

std::size_t resident_bytes() {
  std::ifstream facts("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  facts >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

class HttpServerFiles : public ServerTest {
 protected:
  HttpServerFiles() {
    std::filesystem::create_directory(folder);
    router.add(open_route("GET", "/file"), [this](Request request) -> Task<Response> {
      co_return serve_file(request, {.path = path,
                                     .size = claimed,
                                     .etag = "v1",
                                     .modified = {},
                                     .mime_type = {},
                                     .download_name = {}});
    });
    router.add(open_route("GET", "/hello"), text("hello"));
  }
  ~HttpServerFiles() override { std::filesystem::remove_all(folder); }

  void write_file(std::uint64_t size) {
    claimed = size;
    std::ofstream out(path, std::ios::binary);
    std::string block(1 << 20, '\0');
    for (std::uint64_t at = 0; at < size; at += block.size()) {
      block.resize(std::min<std::uint64_t>(block.size(), size - at));
      for (std::size_t i = 0; i < block.size(); ++i) block[i] = byte_at(at + i);
      out << block;
    }
  }

  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("trawl-http-" + random_hex(8));
  std::filesystem::path path = folder / "video.mp4";
  std::uint64_t claimed = 0;
};

TEST_F(HttpServerFiles, StreamsABigFileInLittleMemory) {
  constexpr std::uint64_t kSize = (96 << 20) + 17;
  write_file(kSize);
  start();
  RawClient client(port());
  client.get("/hello");
  const std::size_t before = resident_bytes();
  client.send("GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::vector<char> block(64 << 10);
  for (std::string head; !head.ends_with("\r\n\r\n");) {
    ASSERT_EQ(client.receive_into(std::span(block).first(1)), 1u);
    head += block.front();
  }
  std::uint64_t at = 0, wrong = 0;
  std::size_t peak = 0;
  while (const std::size_t size = client.receive_into(block)) {
    for (std::size_t i = 0; i < size; ++i) wrong += block[i] != byte_at(at++);
    peak = std::max(peak, resident_bytes());
  }
  EXPECT_EQ(at, kSize);
  EXPECT_EQ(wrong, 0u);
  EXPECT_LT(peak - std::min(peak, before), 32u << 20);
}

TEST_F(HttpServerFiles, ServesARangeAndGoesOnWithTheConnection) {
  write_file(1'000'000);
  start();
  RawClient client(port());
  const Reply part = client.get("/file", "Range: bytes=300000-899999\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.field("Content-Range"), "bytes 300000-899999/1000000");
  ASSERT_EQ(part.body.size(), 600'000u);
  EXPECT_EQ(part.body.front(), byte_at(300'000));
  EXPECT_EQ(part.body.back(), byte_at(899'999));
  EXPECT_EQ(client.get("/file", "Range: bytes=1000000-\r\n").status, 416);
  EXPECT_EQ(client.get("/file", "If-None-Match: \"v1\"\r\n").status, 304);
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST_F(HttpServerFiles, AnswersHeadWithoutReadingTheFile) {
  claimed = 12345;  // The file is not there.
  start();
  RawClient client(port());
  client.send("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n");
  const Reply reply = client.reply(true);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.field("Content-Length"), "12345");
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST_F(HttpServerFiles, AnswersWithAnErrorWhenTheFileIsGoneOrTooShort) {
  claimed = 12345;
  start();
  RawClient client(port());
  const Reply gone = client.get("/file");
  EXPECT_EQ(gone.status, 404);
  EXPECT_FALSE(gone.body.contains("video"));
  write_file(10);
  claimed = 11;
  EXPECT_EQ(client.get("/file").status, 500);
  EXPECT_EQ(client.get("/hello").status, 200);
}

TEST_F(HttpServerFiles, ServesAnEmptyFile) {
  write_file(0);
  start();
  const Reply reply = RawClient(port()).get("/file");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.field("Content-Length"), "0");
}

TEST_F(HttpServerFiles, GivesUpOnAClientThatDoesNotRead) {
  options.write_timeout = 150ms;
  write_file(64 << 20);
  start();
  RawClient stalled(port(), 4096);
  stalled.send("GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
  // The connection leaves the server without one byte being read here, or this stop waits for 60 s.
  RawClient probe(port());
  EXPECT_EQ(probe.get("/hello").status, 200);
  const auto begun = std::chrono::steady_clock::now();
  stop(60s).get();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s);
  EXPECT_LT(stalled.receive_all().size(), 64u << 20);
}

TEST_F(HttpServerFiles, StopsQuietlyWhenTheClientGoesAway) {
  write_file(64 << 20);
  start();
  {
    RawClient leaving(port(), 4096);
    leaving.send("GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_FALSE(leaving.receive().empty());
  }
  const auto begun = std::chrono::steady_clock::now();
  stop(60s).get();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s);
}

}  // namespace
}  // namespace trawl::http
