#include "downloads/wanted.h"

#include "downloads/archive.h"
#include "downloads/metadata.h"
#include "downloads/selection.h"

namespace trawl::downloads {

Task<Result<void>> check_wanted(db::Database& database, const Membership& member, const media::Plan& plan,
                                ArchiveKey archived_as) {
  const auto filters = decode_own<Selection>(member.filters, "filters");
  if (!filters) co_return fail(filters.error());
  const VideoMetadata facts = read_metadata(plan.info);
  if (const auto why = mismatch(*filters, {facts.duration, facts.view_count, facts.upload_date.value_or("")}))
    co_return fail(Errc::unsupported, "left out by the batch's filters: " + *why, "filtered_out");
  if (!member.skip_downloaded) co_return Result<void>();
  const auto known = co_await database.read([&archived_as](db::Transaction& transaction) {
    return is_archived(transaction, archived_as.tenant, archived_as.key, archived_as.options);
  });
  if (!known) co_return fail(known.error());
  if (*known)
    co_return fail(Errc::unsupported, "left out because it was downloaded before", "already_downloaded");
  co_return Result<void>();
}

}  // namespace trawl::downloads
