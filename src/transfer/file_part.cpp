#include "transfer/file_part.h"

#include "transfer/detail/file_move.h"

namespace trawl::transfer {

Task<Result<std::optional<media::FileDigest>>> move_file(HttpClient& client, BlockingPool& files,
                                                         media::Part part, std::size_t index,
                                                         std::filesystem::path folder, Budget& budget,
                                                         const Stop& given) {
  const Stop stop = given;
  detail::FileMove move(co_await asio::this_coro::executor, client, files, std::move(part), index,
                        std::move(folder), budget, stop);
  co_return co_await move.run();
}

}  // namespace trawl::transfer
