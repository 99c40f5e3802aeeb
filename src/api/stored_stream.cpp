#include "api/stored_stream.h"

#include <algorithm>

namespace trawl::api {
namespace {

constexpr std::uint64_t kBlock = 2 << 20;

}  // namespace

Task<Result<std::shared_ptr<http::BodyStream>>> StoredStream::open(storage::ArtifactStore& storage,
                                                                   storage::Artifact artifact,
                                                                   std::uint64_t offset,
                                                                   std::uint64_t length) {
  auto out = std::make_shared<StoredStream>(storage, std::move(artifact), offset, length);
  auto first = co_await out->next();
  if (!first) co_return fail(std::move(first.error()));
  out->first_ = std::move(*first);
  co_return out;
}

Task<Result<std::optional<std::string>>> StoredStream::next() {
  if (stopped_) co_return std::nullopt;
  if (first_) co_return std::exchange(first_, std::nullopt);
  if (left_ == 0) co_return std::nullopt;
  const std::uint64_t size = std::min(kBlock, left_);
  auto block =
      co_await storage_.read(artifact_, static_cast<std::int64_t>(offset_), static_cast<std::int64_t>(size));
  if (!block) co_return fail(std::move(block.error()));
  offset_ += size;
  left_ -= size;
  co_return std::move(*block);
}

}  // namespace trawl::api
