#include "transfer/segment_keys.h"

#include <algorithm>

#include <fmt/format.h>

#include "transfer/resume.h"
#include "transfer/segment_answer.h"

namespace trawl::transfer {
namespace {

class KeySink final : public Sink {
 public:
  Result<void> begin(const Head& head) override {
    wait = retry_after(head);
    const auto slice = judge_segment_answer(std::nullopt, head);
    if (!slice) return fail(slice.error());
    return {};
  }
  Result<void> data(std::span<const char> bytes) override {
    if (bytes.size() > key.size() - size) return wrong_size();
    std::ranges::copy(bytes, key.begin() + static_cast<std::ptrdiff_t>(size));
    size += bytes.size();
    return {};
  }
  Result<AesBlock> finish(const Result<Head>& answer) const {
    if (!answer) return fail(answer.error());
    if (size != key.size()) return wrong_size();
    return key;
  }

  std::optional<std::chrono::seconds> wait;

 private:
  static std::unexpected<Error> wrong_size() {
    return fail(Errc::unsupported, "the key of encrypted segments must have 16 bytes", "bad_key");
  }

  AesBlock key{};
  std::size_t size = 0;
};

}  // namespace

Task<Result<std::optional<SegmentKey>>> SegmentKeys::of(media::Segment segment) {
  if (segment.key.empty() && segment.key_url.empty()) co_return std::nullopt;
  const auto iv = parse_aes_block(segment.iv);
  if (!iv) co_return fail(iv.error());
  const auto key =
      segment.key.empty() ? co_await find(std::move(segment.key_url)) : parse_aes_block(segment.key);
  if (!key) co_return fail(key.error());
  co_return SegmentKey{.key = *key, .iv = *iv};
}

Task<Result<AesBlock>> SegmentKeys::find(std::string url) {
  const auto [place, first] = keys_.try_emplace(url);
  if (first) {
    auto key = co_await load(std::move(url));
    place->second = std::move(key);
    loaded_.notify_all();
  }
  while (!place->second) co_await loaded_.wait();
  co_return *place->second;
}

Task<Result<AesBlock>> SegmentKeys::load(std::string url) {
  for (int attempt = 1;; ++attempt) {
    KeySink sink;
    Result<AesBlock> key = fail(Errc::internal, "the key was not asked for");
    {
      const auto permit = co_await budget_.connections.acquire();
      key = sink.finish(co_await client_.fetch({.url = url,
                                                .headers = part_.headers,
                                                .cookies = part_.cookies,
                                                .shared_rate = budget_.rate(),
                                                .proxy = budget_.limits().proxy},
                                               sink, stop_));
    }
    if (key || !worth_a_retry(key.error(), attempt)) co_return key;
    auto waited = co_await budget_.back_off(index_, attempt, sink.wait, key.error(), stop_);
    if (!waited) co_return fail(waited.error());
  }
}

}  // namespace trawl::transfer
