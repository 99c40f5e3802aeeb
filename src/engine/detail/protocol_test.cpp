#include "engine/detail/protocol.h"

#include <gtest/gtest.h>

namespace trawl::engine {
namespace {

TEST(EngineProtocol, ReadsWhatTheHostSays) {
  const auto ready = decode_host_event(
      R"({"event":"ready","versions":{"ytdlp":"2026.01.01","python":"3.11.2","ffmpeg":"","impersonate":["chrome"]},"sandbox":)"
      R"({"tier":"A","landlock":7,"private_users":true,"network_namespace":false,"missing":[]}})");
  ASSERT_TRUE(ready);
  EXPECT_EQ(std::get<Ready>(*ready).versions.ytdlp, "2026.01.01");
  EXPECT_EQ(std::get<Ready>(*ready).sandbox.tier, "A");
  EXPECT_EQ(std::get<Ready>(*ready).versions.impersonate, std::vector<std::string>{"chrome"});
  const auto exited = decode_host_event(R"({"event":"exited","child":7,"signal":9,"status":0})");
  ASSERT_TRUE(exited);
  EXPECT_EQ(std::get<Exited>(*exited).child, 7);
  EXPECT_EQ(std::get<Exited>(*exited).signal, 9);
}

TEST(EngineProtocol, ReadsAnErrorWithItsCodeAndReason) {
  const auto event = decode_child_event(
      R"({"event":"failed","error":{"code":"unauthorized","reason":"login_required","message":"Sign in"}})");
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<Failed>(*event).error, (Error{Errc::unauthorized, "Sign in", "login_required"}));
  EXPECT_EQ(std::get<Failed>(*event).retry_after, std::nullopt);
}

TEST(EngineProtocol, ReadsForHowLongASiteAsksToBeLeftAlone) {
  const auto event = decode_child_event(
      R"({"event":"failed","error":{"code":"rate_limited","reason":"rate_limited","message":"429","retry_after":120}})");
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<Failed>(*event).retry_after, std::chrono::seconds(120));
}

TEST(EngineProtocol, ReadsAPlanWithoutLosingWhatItDoesNotKnow) {
  const auto event = decode_child_event(
      R"({"event":"resolved","plan":{"extractor":"Generic","id":"1","title":"T","live":false,"engine_version":"x",
          "info":{"anything":[1,{"deep":null}]},
          "transfers":[{"kind":"audio","format_id":"a","protocol":"https","url":"http://x/","ext":"m4a","language":"","size":null}]}})");
  ASSERT_TRUE(event);
  const auto& plan = std::get<Resolved>(*event).plan;
  EXPECT_EQ(plan.transfers.at(0).kind, media::Kind::audio);
  EXPECT_EQ(plan.transfers.at(0).size, std::nullopt);
  EXPECT_TRUE(plan.info.at("anything").is_array());
}

TEST(EngineProtocol, ReadsAPromise) {
  const auto event = decode_child_event(
      R"({"event":"promise","more":true,"part":{"name":"media.mp4","format_id":"1","headers":{"Referer":"r"},
          "cookies":[{"name":"n","value":"v","domain":"d","host_only":true,"path":"/","secure":false}],"url":"","size":null,
          "chunk_size":0,"segments":[{"url":"http://x/1","range":{"first":0,"last":9}},{"url":"http://x/2","key_url":"k","iv":"i"}]}})");
  ASSERT_TRUE(event) << event.error().message;
  const auto& promise = std::get<Promise>(*event);
  EXPECT_TRUE(promise.more);
  EXPECT_TRUE(promise.part.cookies.at(0).host_only);
  EXPECT_EQ(promise.part.segments.at(0).range->last, 9);
  EXPECT_EQ(promise.part.segments.at(1).key_url, "k");
  EXPECT_FALSE(decode_child_event(R"({"event":"promise","part":{"name":"media.mp4"}})"));
  EXPECT_TRUE(std::holds_alternative<Promised>(*decode_child_event(R"({"event":"promised"})")));
}

TEST(EngineProtocol, RefusesWhatIsNoMessage) {
  for (const std::string_view text :
       {"", "[]", "{", R"({"event":1})", R"({"event":"unheard of"})", R"({"event":"resolved"})",
        R"({"event":"finished","files":[{}, 1]})",
        R"({"event":"failed","error":{"code":"nonsense","reason":"x","message":"y"}})",
        R"({"event":"log","level":"shout","message":""})"}) {
    EXPECT_EQ(decode_child_event(text).error().code, Errc::internal) << text;
  }
  EXPECT_EQ(decode_host_event(R"({"event":"log"})").error().code, Errc::internal);
}

}  // namespace
}  // namespace trawl::engine
