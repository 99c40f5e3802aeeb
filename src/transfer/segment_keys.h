#pragma once

#include <map>
#include <optional>
#include <string>

#include "async/event.h"
#include "media/part.h"
#include "transfer/budget.h"
#include "transfer/http_client.h"
#include "transfer/segment_cipher.h"

namespace trawl::transfer {

struct SegmentKey {
  AesBlock key;
  AesBlock iv;
};

// The keys of one part; each key_url is fetched once, however many segments ask for it.
class SegmentKeys {
 public:
  SegmentKeys(asio::any_io_executor executor, HttpClient& client, const media::Part& part, std::size_t index,
              Budget& budget, Stop stop)
      : client_(client),
        part_(part),
        index_(index),
        budget_(budget),
        stop_(std::move(stop)),
        loaded_(std::move(executor)) {}

  // Nothing for a segment in the clear. Fails with reason "bad_key", or as HttpClient::fetch and
  // judge_segment_answer do.
  [[nodiscard]] Task<Result<std::optional<SegmentKey>>> of(media::Segment segment);

 private:
  [[nodiscard]] Task<Result<AesBlock>> find(std::string url);
  [[nodiscard]] Task<Result<AesBlock>> load(std::string url);

  HttpClient& client_;
  const media::Part& part_;
  const std::size_t index_;
  Budget& budget_;
  Stop stop_;
  Event loaded_;
  std::map<std::string, std::optional<Result<AesBlock>>> keys_;  // Empty while it is being fetched.
};

}  // namespace trawl::transfer
