#include <algorithm>
#include <cctype>

#include "transfer/mover_fixture.h"

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;

using Asked = ScriptedOrigin::Request;
using Reply = ScriptedOrigin::Reply;

// What an origin can do wrong when it is asked for the rest of a file.
struct Rude {
  std::string name;
  bool recoverable;
  // The answer to the `nth` request (from 0); `old` is what the first ones got.
  std::function<Reply(const Asked&, int nth, const std::string& old, const std::string& now)> answer;
  bool changes = false;  // The file is another one from the second request on.
};

Reply cut(Reply reply) {
  reply.cut_after = reply.body.size() * 2 / 3;
  return reply;
}

void set_header(Reply& reply, const std::string& name, std::string value) {
  std::erase_if(reply.headers, [&](const auto& field) { return field.first == name; });
  reply.headers.emplace_back(name, std::move(value));
}

// A 206 whose Content-Range and body begin `by` bytes away from what was asked.
Reply shifted(const Asked& r, const std::string& file, std::int64_t by) {
  auto span = asked_range(r, file.size());
  if (!span) return proper(r, file);
  Reply reply{.status = 206, .headers = {{"ETag", "\"v1\""}}};
  const auto first = std::max<std::int64_t>(span->first + by, 0);
  reply.headers.emplace_back("Content-Range",
                             fmt::format("bytes {}-{}/{}", first, file.size() - 1, file.size()));
  reply.body = file.substr(static_cast<std::size_t>(first));
  return reply;
}

std::vector<Rude> rude_origins() {
  const auto whole = [](const std::string& file) {
    return Reply{.headers = {{"ETag", "\"v1\""}}, .body = file};
  };
  const auto ranged = [](const Asked& r) { return r.count("Range") != 0U; };
  const auto after_cut = [](auto rest) {
    return [rest](const Asked& r, int nth, const std::string& old, const std::string& now) {
      return nth == 0 ? cut(proper(r, old)) : rest(r, old, now);
    };
  };
  const auto simple = [=](auto rest) {
    return after_cut(
        [rest](const Asked& r, const std::string&, const std::string& now) { return rest(r, now); });
  };
  const auto with_modified = [](Reply reply, std::string etag, std::string modified) {
    std::erase_if(reply.headers, [](const auto& field) { return field.first == "ETag"; });
    if (!etag.empty()) reply.headers.emplace_back("ETag", etag);
    if (!modified.empty()) reply.headers.emplace_back("Last-Modified", modified);
    return reply;
  };
  const std::string kDate = "Wed, 21 Oct 2015 07:28:00 GMT";
  std::vector<Rude> out;
  out.push_back(
      {"200 to a range", true, simple([=](const Asked&, const std::string& f) { return whole(f); })});
  out.push_back({"206 that starts earlier", true,
                 simple([](const Asked& r, const std::string& f) { return shifted(r, f, -1000); })});
  out.push_back({"206 that starts later", true,
                 simple([](const Asked& r, const std::string& f) { return shifted(r, f, 1000); })});
  out.push_back({"206 with a wrong total", true, simple([=](const Asked& r, const std::string& f) {
                   auto reply = proper(r, f);
                   if (ranged(r)) {
                     const auto span = *asked_range(r, f.size());
                     set_header(reply, "Content-Range",
                                fmt::format("bytes {}-{}/{}", span.first, span.end - 1, f.size() + 7));
                   }
                   return reply;
                 })});
  out.push_back({"206 without a total", true, simple([=](const Asked& r, const std::string& f) {
                   auto reply = proper(r, f);
                   if (ranged(r)) {
                     const auto span = *asked_range(r, f.size());
                     set_header(reply, "Content-Range",
                                fmt::format("bytes {}-{}/*", span.first, span.end - 1));
                   }
                   return reply;
                 })});
  out.push_back(
      {"weak ETag", true, [](const Asked& r, int nth, const std::string& old, const std::string& now) {
         auto reply = proper(r, nth == 0 ? old : now, "W/\"v1\"");
         return nth == 0 ? cut(reply) : reply;
       }});
  out.push_back({"ETag changed", true,
                 after_cut([](const Asked& r, const std::string&, const std::string& now) {
                   return proper(r, now, "\"v2\"");
                 }),
                 true});
  out.push_back(
      {"only Last-Modified", true, [=](const Asked& r, int nth, const std::string& old, const std::string&) {
         auto plain = r;
         if (plain["If-Range"] == kDate) plain.erase("If-Range");
         auto reply = with_modified(proper(plain, old), "", kDate);
         return nth == 0 ? cut(reply) : reply;
       }});
  out.push_back({"If-Range ignored although the file changed", true,
                 after_cut([](const Asked& r, const std::string&, const std::string& now) {
                   auto plain = r;
                   plain.erase("If-Range");
                   return proper(plain, now, "\"v2\"");
                 }),
                 true});
  out.push_back(
      {"304", false, simple([](const Asked&, const std::string&) { return Reply{.status = 304}; })});
  out.push_back({"416 of the same length", true, simple([=](const Asked& r, const std::string& f) {
                   if (!ranged(r)) return whole(f);
                   return Reply{.status = 416,
                                .headers = {{"ETag", "\"v1\""},
                                            {"Content-Range", fmt::format("bytes */{}", f.size())}}};
                 })});
  out.push_back({"416 of another length", true, simple([=](const Asked& r, const std::string& f) {
                   if (!ranged(r)) return whole(f);
                   return Reply{.status = 416,
                                .headers = {{"ETag", "\"v1\""},
                                            {"Content-Range", fmt::format("bytes */{}", f.size() * 2 / 3)}}};
                 })});
  out.push_back({"short body", true, [](const Asked& r, int nth, const std::string& f, const std::string&) {
                   auto reply = proper(r, f);
                   if (nth == 0) {
                     reply.length = static_cast<std::int64_t>(f.size());
                     reply.body.resize(f.size() / 2);
                   }
                   return reply;
                 }});
  out.push_back({"long body", true, [](const Asked& r, int nth, const std::string& f, const std::string&) {
                   auto reply = proper(r, f);
                   if (nth == 0) {
                     reply.length = static_cast<std::int64_t>(f.size());
                     reply.body += "and more";
                   }
                   return reply;
                 }});
  out.push_back(
      {"no length and a cut", true, [](const Asked&, int nth, const std::string& f, const std::string&) {
         const Reply reply{.body = f, .no_length = true};
         return nth == 0 ? cut(reply) : reply;
       }});
  out.push_back({"gzip", false, [](const Asked& r, int, const std::string& f, const std::string&) {
                   auto reply = proper(r, f);
                   reply.headers.emplace_back("Content-Encoding", "gzip");
                   return reply;
                 }});
  out.push_back({"multipart/byteranges", true, simple([=](const Asked& r, const std::string& f) {
                   auto reply = proper(r, f);
                   if (ranged(r)) set_header(reply, "Content-Type", "multipart/byteranges; boundary=x");
                   return reply;
                 })});
  out.push_back({"redirect to another file", true,
                 after_cut([](const Asked& r, const std::string&, const std::string& now) {
                   if (r.target() == "/file")
                     return Reply{.status = 302, .headers = {{"Location", "/other"}}};
                   return proper(r, now, "\"other\"");
                 }),
                 true});
  out.push_back(
      {"429 with Retry-After", true, [](const Asked& r, int nth, const std::string& f, const std::string&) {
         if (nth == 0) return Reply{.status = 429, .headers = {{"Retry-After", "1"}}};
         return proper(r, f);
       }});
  out.push_back({"503", true, [](const Asked& r, int nth, const std::string& f, const std::string&) {
                   return nth == 0 ? Reply{.status = 503} : proper(r, f);
                 }});
  out.push_back(
      {"one byte a second", false, [](const Asked& r, int, const std::string& f, const std::string&) {
         auto reply = proper(r, f);
         reply.bytes_per_second = 1;
         return reply;
       }});
  out.push_back({"a file that grew by 50 bytes", true,
                 after_cut([](const Asked& r, const std::string&, const std::string& now) {
                   return proper(r, now + std::string(50, 'x'), "\"v2\"");
                 }),
                 true});
  out.push_back({"another file of the same length and date", true,
                 [=](const Asked& r, int nth, const std::string& old, const std::string& now) {
                   auto reply = with_modified(proper(r, nth == 0 ? old : now, nth == 0 ? "\"v1\"" : "\"v2\""),
                                              nth == 0 ? "\"v1\"" : "\"v2\"", kDate);
                   return nth == 0 ? cut(reply) : reply;
                 },
                 true});
  out.push_back(
      {"HTTP/1.0 that closes", true, [](const Asked&, int, const std::string& f, const std::string&) {
         return Reply{.body = f, .no_length = true, .version = "HTTP/1.0"};
       }});
  return out;
}

class RudeOrigins : public MoverTest, public testing::WithParamInterface<Rude> {};

TEST_P(RudeOrigins, NeverLeaveAWrongFile) {
  const Rude& rude = GetParam();
  limits.quiet_timeout = 1s;
  const auto old = content(400'000);
  const auto now = rude.changes ? content(400'000, 77) : old;
  int nth = 0;
  const auto server = origin([&](const Asked& r) { return rude.answer(r, nth++, old, now); });
  const auto moved = move_one(*server);
  EXPECT_EQ(moved.has_value(), rude.recoverable) << (moved ? "" : moved.error().message);
  ASSERT_EQ(exists("a.mp4"), moved.has_value());
  if (!moved) return;
  const auto expected = rude.name.contains("50 bytes") ? now + std::string(50, 'x') : now;
  EXPECT_EQ(result().size(), expected.size());
  EXPECT_TRUE(result() == expected);
}

INSTANTIATE_TEST_SUITE_P(D2, RudeOrigins, testing::ValuesIn(rude_origins()),
                         [](const testing::TestParamInfo<Rude>& info) {
                           std::string out;
                           for (const char c : info.param.name)
                             out += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return out;
                         });

}  // namespace
}  // namespace trawl::transfer
