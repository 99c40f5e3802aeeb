#include "downloads/completion.h"

#include "access/usage.h"
#include "downloads/archive.h"

namespace trawl::downloads {
namespace {

// Counts what was stored against the owner's quota.
Result<void> count_bytes(db::Transaction& transaction, const std::string& owner,
                         const std::vector<storage::Artifact>& artifacts) {
  std::int64_t bytes = 0;
  for (const storage::Artifact& artifact : artifacts) bytes += artifact.size;
  return access::Quotas::count_bytes(transaction, owner, bytes);
}

}  // namespace

jobs::JobStore::Also completion(Made made) {
  return [made = std::move(made)](db::Transaction& transaction) mutable -> Result<json::object> {
    if (auto recorded = storage::ArtifactStore::record(transaction, made.artifacts); !recorded)
      return fail(recorded.error());
    if (auto archived =
            record_in_archive(transaction, made.tenant, made.keys, made.options, made.job, made.at);
        !archived)
      return fail(archived.error());
    if (const auto counted = count_bytes(transaction, made.tenant, made.artifacts); !counted)
      return fail(counted.error());
    return made.result;
  };
}

}  // namespace trawl::downloads
