#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/describe.h"
#include "base/id.h"
#include "base/result.h"
#include "db/database.h"
#include "media/plan.h"

namespace trawl::storage {

// What reading a stored file last showed. Corrupt: its bytes are not those that were stored; missing: there
// is no such file; unreadable: the backend did not give it.
enum class Integrity { sound, corrupt, missing, unreadable };

// A stored file, as users see it: by row only. `path` is its name in the API ("/files/{path}"),
// unique over all artifacts; where its bytes are is the storage's business.
struct Artifact {
  ArtifactId id;
  JobId job;
  media::Kind kind = media::Kind::video;
  std::string path;      // "videos/Title-abc.mp4"
  std::string location;  // Relative to the storage root: "content/<job>/<epoch>/Title-abc.mp4".
  std::string mime_type;
  std::string language;
  std::int64_t size = 0;
  std::string sha256;
  SystemTime created_at;
  std::optional<SystemTime> expires_at;
  SystemTime checked_at;  // Its bytes were last hashed then.
  Integrity integrity = Integrity::sound;

  friend bool operator==(const Artifact&, const Artifact&) = default;
};

// The artifacts that fulfil `condition` over the table's columns, oldest first.
[[nodiscard]] Result<std::vector<Artifact>> select_artifacts(db::Transaction& transaction,
                                                             std::string_view condition,
                                                             std::vector<db::Value> parameters);

// Deletes the rows that fulfil `condition`. Returns the locations nobody refers to any more: the same bytes
// may be several jobs' artifacts.
[[nodiscard]] Result<std::vector<std::string>> delete_artifacts(db::Transaction& transaction,
                                                                std::string_view condition,
                                                                std::vector<db::Value> parameters);

// What all artifacts take together: bytes that are several jobs' artifacts count once.
[[nodiscard]] Result<std::int64_t> stored_bytes(db::Transaction& transaction);

// Inserts one row unless its path is taken; says whether it did.
[[nodiscard]] Result<bool> insert_artifact(db::Transaction& transaction, const Artifact& artifact);

}  // namespace trawl::storage

template <>
struct trawl::EnumText<trawl::storage::Integrity> {
  static constexpr std::pair<trawl::storage::Integrity, std::string_view> names[] = {
      {trawl::storage::Integrity::sound, "sound"},
      {trawl::storage::Integrity::corrupt, "corrupt"},
      {trawl::storage::Integrity::missing, "missing"},
      {trawl::storage::Integrity::unreadable, "unreadable"}};
};
