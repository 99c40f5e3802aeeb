#include "s3/bucket.h"

#include <gtest/gtest.h>

namespace trawl::s3 {
namespace {

TEST(Bucket, IsAHostAtAmazonAndAPathElsewhere) {
  const auto amazon = make_bucket({.name = "media", .region = "eu-west-1"});
  ASSERT_TRUE(amazon);
  EXPECT_EQ(amazon->origin, "https://media.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(path_of(*amazon, "content/a b.mp4"), "/content/a%20b.mp4");
  EXPECT_EQ(make_bucket({.name = "media", .region = "cn-north-1"})->origin,
            "https://media.s3.cn-north-1.amazonaws.com.cn");

  const auto own = make_bucket({.name = "media", .endpoint = "http://127.0.0.1:9000/", .prefix = "/a/b/"});
  ASSERT_TRUE(own);
  EXPECT_EQ(own->origin, "http://127.0.0.1:9000");
  EXPECT_EQ(path_of(*own, "k"), "/media/a/b/k");
  EXPECT_EQ(path_of(*own, ""), "/media/");
}

TEST(Bucket, FollowsTheStyleThatIsAskedFor) {
  EXPECT_EQ(make_bucket({.name = "m.edia"})->origin, "https://s3.us-east-1.amazonaws.com");
  EXPECT_EQ(make_bucket({.name = "media", .style = Style::path})->root, "/media/");
  const auto host =
      make_bucket({.name = "media", .endpoint = "https://store.example:443", .style = Style::virtual_host});
  EXPECT_EQ(host->origin, "https://media.store.example") << "a default port is not part of what is signed";
  EXPECT_EQ(host->root, "/");
}

TEST(Bucket, SaysWhichSettingIsWrong) {
  for (const auto* name : {"", "a", "Media", "me/dia", "-media", "me_dia"})
    EXPECT_FALSE(make_bucket({.name = name})) << name;
  for (const auto* endpoint : {"store.example", "ftp://store.example", "https://key:secret@store.example",
                               "https://store.example/a", "https://store.example?x=1"})
    EXPECT_FALSE(make_bucket({.name = "media", .endpoint = endpoint})) << endpoint;
  EXPECT_FALSE(make_bucket({.name = "media", .region = "eu west"}));
  for (const auto* prefix : {"..", "a/../b", "a/./b", "a//b"})
    EXPECT_FALSE(make_bucket({.name = "media", .prefix = prefix})) << prefix;
}

TEST(Path, EncodesWhatSignaturesEncode) {
  const auto bucket = make_bucket({.name = "media", .style = Style::path}).value();
  EXPECT_EQ(path_of(bucket, "c/T\xc3\xaate~1 (a)+b&c=%.mp4"),
            "/media/c/T%C3%AAte~1%20%28a%29%2Bb%26c%3D%25.mp4");
}

}  // namespace
}  // namespace trawl::s3
