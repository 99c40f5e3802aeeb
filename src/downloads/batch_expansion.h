#pragma once

#include <set>

#include "async/scope.h"
#include "downloads/batches.h"
#include "downloads/lister.h"

namespace trawl::downloads {

// Makes children of the entries of playlists and channels, page by page as they are listed.
//
// Each page is one transaction that names the fence of this listing. Whoever dies in between leaves a
// batch that is still pending; the next one lists it from the beginning and adds what is not there yet,
// by the key of each entry, so that nothing comes twice.
class BatchExpansion {
 public:
  BatchExpansion(asio::any_io_executor executor, db::Database& database, jobs::JobStore& store,
                 Batches& batches, Lister& lister, access::CookieStore& cookies)
      : database_(database),
        store_(store),
        batches_(batches),
        lister_(lister),
        cookies_(cookies),
        slot_freed_(executor),
        scope_(executor) {}

  // Frees what an earlier process was listing, for the start of the only process that opens the database.
  [[nodiscard]] Task<Result<void>> take_back();
  void start();
  [[nodiscard]] Task<void> stop() { return scope_.close(); }

 private:
  class Listing;
  struct Claimed {
    Batch batch;
    std::int64_t epoch = 0;
  };
  Task<void> run();
  Task<Result<std::optional<Claimed>>> claim();
  Task<void> expand(Claimed claimed);
  [[nodiscard]] Task<Result<void>> list(const Claimed& claimed, Listing& listing);
  // `shortened`: why entries were left out that were wanted.
  [[nodiscard]] Task<Result<void>> finish(const Claimed& claimed, std::optional<Error> shortened);
  Task<void> give_up(const Claimed& claimed, Error error);

  db::Database& database_;
  jobs::JobStore& store_;
  Batches& batches_;
  Lister& lister_;
  access::CookieStore& cookies_;
  Event slot_freed_;
  Scope scope_;
  std::size_t running_ = 0;
};

}  // namespace trawl::downloads
