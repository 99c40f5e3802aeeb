#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "db/database.h"
#include "storage/artifact.h"

namespace trawl::storage::detail {

// A stored file as it should be. Several artifacts may have the same bytes.
struct Expected {
  std::string location;
  std::int64_t size = 0;
  std::string sha256;
};

// What came of reading it.
struct Checked {
  Expected file;
  Integrity integrity = Integrity::sound;
  std::string why;         // It is not sound.
  std::int64_t bytes = 0;  // That were read.
};

struct Kept {
  Checked checked;
  bool news = false;  // Nobody knew of this damage.
};

// Which files are to be read again.
struct Due {
  Millis interval{};
  // Files that could not be read are tried again sooner.
  Millis unreadable{};
};

// What was not read since then is due: for its age, or because somebody asked for it.
[[nodiscard]] Result<SystemTime> due_before(db::Transaction& transaction, Millis interval);

// Takes or keeps the one place of the process that reads. Says whether `holder` has it.
[[nodiscard]] Result<bool> hold_scrub(db::Transaction& transaction, const std::string& holder, Millis length);

// Who has the place at the moment.
[[nodiscard]] Result<std::optional<std::string>> scrub_holder(db::Transaction& transaction);

// Files that are due, those read longest ago first: at most `count`, and of at most `bytes` but for the
// first.
[[nodiscard]] Result<std::vector<Expected>> next_due(db::Transaction& transaction, const Due& due, int count,
                                                     std::int64_t bytes);

// Keeps what was found. A file that was deleted meanwhile is left out of what it returns.
[[nodiscard]] Result<std::vector<Kept>> keep_checked(db::Transaction& transaction,
                                                        const std::vector<Checked>& checked);

}  // namespace trawl::storage::detail
