#include "aws/presign.h"

#include <gtest/gtest.h>

namespace trawl::aws {
namespace {

const Keys kKeys{.access = "AKIAIOSFODNN7EXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
const SystemTime kNow{std::chrono::sys_days{std::chrono::year{2013} / 5 / 24}};

// The example of Amazon's own documentation of query signatures.
TEST(PresignedUrl, IsTheOneAmazonPublishes) {
  const Presigned request{.origin = "https://examplebucket.s3.amazonaws.com",
                          .path = "/test.txt",
                          .query = {},
                          .region = "us-east-1",
                          .lifetime = std::chrono::seconds(86400)};
  EXPECT_EQ(presigned_url(request, kKeys, kNow),
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(PresignedUrl, NamesTheSessionOfKeysThatDoNotLast) {
  Keys keys = kKeys;
  keys.token = "a/b+c=";
  const std::string url = presigned_url({.origin = "http://127.0.0.1:9000",
                                         .path = "/b/k",
                                         .query = {{"response-content-type", "video/mp4"}},
                                         .region = "r"},
                                        keys, kNow);
  EXPECT_NE(url.find("X-Amz-Security-Token=a%2Fb%2Bc%3D"), std::string::npos) << url;
  EXPECT_NE(url.find("response-content-type=video%2Fmp4"), std::string::npos) << url;
  EXPECT_EQ(url.find(keys.secret), std::string::npos);
}

}  // namespace
}  // namespace trawl::aws
