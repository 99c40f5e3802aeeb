#include "http/server_fixture.h"

namespace trawl::http {
namespace {

struct RawCase {
  const char* name;
  std::string bytes;
};
std::ostream& operator<<(std::ostream& out, const RawCase& c) {
  return out << c.name;
}
std::string name_of(const ::testing::TestParamInfo<RawCase>& info) {
  return info.param.name;
}

const std::string kPost = "POST /echo HTTP/1.1\r\nHost: x\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";
const std::string kGet = "GET /echo HTTP/1.1\r\n";
const std::string kMarker = "GET /marker HTTP/1.1\r\nHost: x\r\n\r\n";

class Smuggling : public ServerTest, public ::testing::WithParamInterface<RawCase> {
 protected:
  Smuggling() {
    options.read_timeout = 2s;
    const Handler echo = [](Request request) -> Task<Response> {
      co_return Response{.status = 200, .headers = {}, .body = request.body};
    };
    router.add(open_route("POST", "/echo"), echo);
    router.add(open_route("GET", "/echo"), echo);
    router.add(open_route("GET", "/marker"), text("marker"));
  }
};

using Ambiguous = Smuggling;
using Unambiguous = Smuggling;

// Nothing behind an ambiguous request may be taken for another one.
TEST_P(Ambiguous, IsAnswered400AndTheConnectionClosed) {
  start();
  RawClient client(port());
  client.send(GetParam().bytes + kMarker);
  const Reply reply = client.reply();
  EXPECT_EQ(reply.status, 400) << reply.body;
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_EQ(reply.field("X-Content-Type-Options"), "nosniff");
  ASSERT_TRUE(parse_json(reply.body));
  EXPECT_EQ(parse_json(reply.body)->at("status_code"), 400);
  EXPECT_EQ(client.receive_all(), "");
}

TEST_P(Unambiguous, IsServedAndTheNextRequestToo) {
  start();
  RawClient client(port());
  client.send(GetParam().bytes + kMarker);
  EXPECT_EQ(client.reply().status, 200);
  EXPECT_EQ(client.reply().body, "marker");
}

const std::vector<RawCase> kAmbiguous{
    {"LengthAndChunked", kPost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"ChunkedAndLength", kPost + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
    {"TwoDifferingLengths", kPost + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
    {"TwoEqualLengths", kPost + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
    {"ListOfLengths", kPost + "Content-Length: 5, 5\r\n\r\nhello"},
    {"ListOfDifferingLengths", kPost + "Content-Length: 5, 6\r\n\r\nhello"},
    {"LengthWithPlus", kPost + "Content-Length: +5\r\n\r\nhello"},
    {"LengthWithMinus", kPost + "Content-Length: -5\r\n\r\nhello"},
    {"LengthInHex", kPost + "Content-Length: 0x5\r\n\r\nhello"},
    {"LengthWithUnderscore", kPost + "Content-Length: 1_0\r\n\r\nhellohello"},
    {"LengthWithFraction", kPost + "Content-Length: 5.0\r\n\r\nhello"},
    {"LengthWithSpaceInside", kPost + "Content-Length: 5 5\r\n\r\nhello"},
    {"LengthEmpty", kPost + "Content-Length:\r\n\r\n"},
    {"LengthOverflowing", kPost + "Content-Length: 18446744073709551621\r\n\r\nhello"},
    {"LengthQuoted", kPost + "Content-Length: \"5\"\r\n\r\nhello"},
    {"EncodingUnknown", kPost + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
    {"EncodingIdentity", kPost + "Transfer-Encoding: identity\r\n\r\n"},
    {"EncodingGzipChunked", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
    {"EncodingChunkedIdentity", kPost + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
    {"EncodingChunkedTwice", kPost + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"},
    {"EncodingInTwoFields",
     kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"EncodingInTwoDifferingFields",
     kPost + "Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n\r\n0\r\n\r\n"},
    {"EncodingWithParameter", kPost + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"},
    {"EncodingQuoted", kPost + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"},
    {"EncodingWithVerticalTab", kPost + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"},
    {"EncodingWithBareCr", kPost + "Transfer-Encoding: chunked\r\r\n\r\n0\r\n\r\n"},
    {"EncodingEmpty", kPost + "Transfer-Encoding:\r\n\r\n"},
    {"EncodingInHttp10", "POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"SpaceBeforeColon", kPost + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
    {"TabBeforeColon", kPost + "Content-Length\t: 5\r\n\r\nhello"},
    {"SpaceBeforeName", kPost + "X: y\r\n Content-Length: 5\r\n\r\nhello"},
    {"SpaceBeforeFirstName", "POST /echo HTTP/1.1\r\n Host: x\r\n\r\n"},
    {"ObsFold", kPost + "X: a\r\n b\r\n\r\n"},
    {"ObsFoldWithTab", kPost + "Transfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n"},
    {"NameEmpty", kPost + ": y\r\n\r\n"},
    {"NameWithSpaceInside", kPost + "Content Length: 5\r\n\r\nhello"},
    {"NameWithNul", kPost + std::string("X\0Y: z\r\n\r\n", 10)},
    {"NameWithHighByte", kPost + "X\xffY: z\r\n\r\n"},
    {"LineWithoutColon", kPost + "Content-Length\r\n\r\n"},
    {"ValueWithNul", kPost + std::string("X: a\0b\r\n\r\n", 10)},
    {"ValueWithBareCr", kPost + "X: a\rContent-Length: 5\r\n\r\nhello"},
    {"BareLfAfterRequestLine", "POST /echo HTTP/1.1\nHost: x\r\n\r\n"},
    {"BareLfAfterField", "POST /echo HTTP/1.1\r\nHost: x\nContent-Length: 5\r\n\r\nhello"},
    {"BareLfInsideValue", kPost + "X: a\nContent-Length: 5\r\n\r\nhello"},
    {"BareLfAtTheEnd", "POST /echo HTTP/1.1\r\nHost: x\r\n\n"},
    {"BareLfFirst", "\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"TwoEmptyLinesFirst", "\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"TwoSpacesInRequestLine", "GET  /echo HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"TabInRequestLine", "GET\t/echo HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"SpaceInTarget", "GET /echo /x HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"SpaceAfterVersion", "GET /echo HTTP/1.1 \r\nHost: x\r\n\r\n"},
    {"SpaceBeforeMethod", " GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"NoVersion", "GET /echo\r\nHost: x\r\n\r\n"},
    {"VersionInLowerCase", "GET /echo http/1.1\r\nHost: x\r\n\r\n"},
    {"VersionTooLong", "GET /echo HTTP/1.10\r\nHost: x\r\n\r\n"},
    {"NulInTarget", std::string("GET /ec\0ho HTTP/1.1\r\nHost: x\r\n\r\n", 33)},
    {"HighByteInTarget", "GET /ech\xf3 HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"FragmentInTarget", "GET /echo#x HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"TargetWithoutSlash", "GET echo HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"TargetOfConnect", "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"TargetStarForGet", "GET * HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"TargetOfOtherScheme", "GET file:///echo HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"NoHost", "GET /echo HTTP/1.1\r\n\r\n"},
    {"TwoHosts", kGet + "Host: x\r\nHost: y\r\n\r\n"},
    {"ListOfHosts", kGet + "Host: x, y\r\n\r\n"},
    {"HostWithPath", kGet + "Host: x/y\r\n\r\n"},
    {"HostWithUser", kGet + "Host: user@x\r\n\r\n"},
    {"ChunkSizeWithPlus", kChunked + "+5\r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeWithMinus", kChunked + "-5\r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeWith0x", kChunked + "0x5\r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeWithUnderscore", kChunked + "0_5\r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeWithSpaceBefore", kChunked + " 5\r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeWithSpaceBehind", kChunked + "5 \r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeWithTabBehind", kChunked + "5\t\r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeEmpty", kChunked + "\r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeNotHex", kChunked + "g\r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeOverflowing", kChunked + "10000000000000005\r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeBareLf", kChunked + "5\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeBareCr", kChunked + "5\rhello\r\n0\r\n\r\n"},
    {"ChunkExtensionBareLf", kChunked + "5;a\nhello\r\n0\r\n\r\n"},
    {"ChunkExtensionQuotedLf", kChunked + "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"},
    {"ChunkExtensionQuotedNul", kChunked + std::string("5;a=\"\0\"\r\nhello\r\n0\r\n\r\n", 22)},
    {"LastChunkExtensionQuotedLf", kChunked + "0;a=\"\n\"\r\n\r\n"},
    {"ChunkExtensionWithoutName", kChunked + "5;\r\nhello\r\n0\r\n\r\n"},
    {"ChunkWithoutCrLf", kChunked + "5\r\nhelloXX0\r\n\r\n"},
    {"ChunkDataTooLong", kChunked + "5\r\nhello!\r\n0\r\n\r\n"},
    {"ChunkDataEndsInLf", kChunked + "5\r\nhello\n0\r\n\r\n"},
    {"LastChunkBareLf", kChunked + "0\n\r\n"},
    {"TrailerBareLf", kChunked + "0\r\nX: y\n\r\n\r\n"},
    {"TrailerWithSpaceBeforeColon", kChunked + "0\r\nX : y\r\n\r\n"},
    {"TrailerWithLength", kChunked + "0\r\nContent-Length: 5\r\n\r\n"},
    {"TrailerWithEncoding", kChunked + "0\r\nTransfer-Encoding: chunked\r\n\r\n"},
};

const std::vector<RawCase> kUnambiguous{
    {"PlainGet", kGet + "Host: x\r\n\r\n"},
    {"EmptyLineFirst", "\r\n" + kGet + "Host: x\r\n\r\n"},
    {"EmptyHost", kGet + "Host:\r\n\r\n"},
    {"HostWithPort", kGet + "Host: [::1]:8080\r\n\r\n"},
    {"Length", kPost + "Content-Length: 5\r\n\r\nhello"},
    {"LengthWithZerosBefore", kPost + "Content-Length: 0005\r\n\r\nhello"},
    {"LengthWithoutSpace", kPost + "Content-Length:5\r\n\r\nhello"},
    {"LengthWithTabs", kPost + "Content-Length:\t5\t\r\n\r\nhello"},
    {"LengthZero", kPost + "Content-Length: 0\r\n\r\n"},
    {"BodyOnGet", kGet + "Host: x\r\nContent-Length: 5\r\n\r\nhello"},
    {"Chunked", kChunked + "5\r\nhello\r\n0\r\n\r\n"},
    {"ChunkedInUpperCase", kPost + "TRANSFER-ENCODING: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"ChunkSizeWithZerosBefore", kChunked + "00005\r\nhello\r\n000\r\n\r\n"},
    {"ChunkSizeInUpperCase", kChunked + "A\r\nhellohello\r\n0\r\n\r\n"},
    {"ChunkExtension", kChunked + "5;a=b;c=\"d e\"\r\nhello\r\n0;f\r\n\r\n"},
    {"Trailer", kChunked + "5\r\nhello\r\n0\r\nX: y\r\n\r\n"},
    {"TrailerObsFold", kChunked + "0\r\nX: y\r\n z\r\n\r\n"},  // Trailers are dropped and end where they end.
    {"ChunkDataWithLineEnds", kChunked + "4\r\n\r\n\r\n\r\n0\r\n\r\n"},
    {"AbsoluteTarget", "GET http://other/echo HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"HighByteInValue", kGet + "Host: x\r\nX: \xe4\r\n\r\n"},
    {"EmptyValue", kGet + "Host: x\r\nX:\r\n\r\n"},
};

INSTANTIATE_TEST_SUITE_P(Requests, Ambiguous, ::testing::ValuesIn(kAmbiguous), name_of);
INSTANTIATE_TEST_SUITE_P(Requests, Unambiguous, ::testing::ValuesIn(kUnambiguous), name_of);

using Trailers = Smuggling;

TEST_F(Trailers, DoNotBecomeHeaderFields) {
  router.add(open_route("POST", "/key"), [](Request request) -> Task<Response> {
    co_return Response{.status = request.headers.find("X-API-Key") ? 200 : 401, .headers = {}, .body = {}};
  });
  start();
  RawClient client(port());
  client.send("POST /key HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-API-Key: k\r\n\r\n");
  EXPECT_EQ(client.reply().status, 401);
}

TEST_F(Trailers, AreBounded) {
  start();
  RawClient client(port());
  client.send(kChunked + "0\r\n");
  const std::string field = "X: " + std::string(1000, 'a') + "\r\n";
  for (int i = 0; i < 100 && client.send(field); ++i) continue;
  EXPECT_EQ(client.reply().status, 400);
}

TEST_F(Trailers, AreNotThePlaceForAnEndlessChunkExtension) {
  start();
  RawClient client(port());
  client.send(kChunked + "1;a=");
  for (int i = 0; i < 100 && client.send(std::string(1000, 'a')); ++i) continue;
  EXPECT_EQ(client.reply().status, 400);
}

}  // namespace
}  // namespace trawl::http
