#include "transfer/segment_part.h"

#include "transfer/segment_move.h"

namespace trawl::transfer {

Task<Result<std::optional<media::FileDigest>>> move_segments(HttpClient& client, BlockingPool& files,
                                                             media::Part part, std::size_t index,
                                                             std::filesystem::path folder, Budget& budget,
                                                             const Stop& stop) {
  // Only `stop` ends it: what the pool and the transfer thread have in hand must outlive them.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  const Stop outer = stop;
  auto opened = co_await files.run([&] { return SegmentFile::open(folder, part); });
  if (!opened) co_return fail(opened.error());
  Stop inner;
  const auto link = outer.on_set([inner]() mutable { inner.set(); });
  SegmentMove move(co_await asio::this_coro::executor, {.client = client, .files = files, .budget = budget},
                   part, index, **opened, inner);
  co_return co_await move.run();
}

}  // namespace trawl::transfer
