#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "async/blocking_pool.h"
#include "async/semaphore.h"
#include "engine/engine.h"
#include "media/entry.h"
#include "net/egress_proxy.h"

namespace trawl::downloads {

struct ListerLimits {
  std::size_t at_once = 4;                 // Listings, each with an engine child.
  int page = 100;                          // Entries in one message.
  std::int64_t max_entries = 5000;         // Of one listing; what comes behind is not looked at.
  std::chrono::seconds page_timeout{120};  // To get one page from the site.
  std::filesystem::path cookies_file;      // Netscape format; may be empty.
};

// What is looked at.
struct Look {
  std::string url;
  std::optional<std::string> cookies = {};  // Somebody's own, as Netscape text, in place of the operator's.
};

// Looks at what a site has without downloading it. Playlists and channels come page by page: neither the
// engine nor this process ever holds one as a whole.
class Lister {
 public:
  // `folder` is the working folder of listings; it is emptied by open().
  Lister(asio::any_io_executor executor, engine::Engine& engine, net::EgressProxy& proxy,
         net::UpstreamPool& upstreams, const net::EgressPolicy& policy, BlockingPool& files,
         std::filesystem::path folder, ListerLimits limits)
      : engine_(engine),
        proxy_(proxy),
        upstreams_(upstreams),
        policy_(policy),
        files_(files),
        folder_(std::move(folder)),
        limits_(std::move(limits)),
        listing_(executor, limits_.at_once) {}

  [[nodiscard]] Task<Result<void>> open();

  // Looks at a page and says whether the next one is wanted.
  using Reader = std::function<Task<Result<bool>>(media::Listed)>;
  // Gives the pages of `url` to `reader`, one at a time; the next one is fetched when it has returned.
  // The page at max_entries is the last. Errors of the site as in docs/engine-protocol.md, those of
  // policy as in net::admit_url(), and those of `reader`.
  [[nodiscard]] Task<Result<void>> read(Look look, Reader reader);
  // What is known of one medium, with everything there is to choose from. Errors as of read();
  // Errc::unsupported, reason "is_a_playlist", for several.
  [[nodiscard]] Task<Result<media::Plan>> resolve(Look look);

  [[nodiscard]] const ListerLimits& limits() const { return limits_; }

 private:
  using Work = std::function<Task<Result<void>>(engine::Child&)>;
  // Has a child do something about `look` in a folder of its own.
  [[nodiscard]] Task<Result<void>> with_child(Look look, Work work);
  // With the cookies that the child is to have, if any.
  [[nodiscard]] Task<Result<std::filesystem::path>> make_folder(Look look);
  [[nodiscard]] Task<Result<void>> read_pages(engine::Child& child, const Reader& reader);

  engine::Engine& engine_;
  net::EgressProxy& proxy_;
  net::UpstreamPool& upstreams_;
  const net::EgressPolicy& policy_;
  BlockingPool& files_;
  std::filesystem::path folder_;
  ListerLimits limits_;
  Semaphore listing_;
};

}  // namespace trawl::downloads
