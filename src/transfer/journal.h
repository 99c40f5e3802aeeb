#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "transfer/prefix_hash.h"
#include "transfer/range_plan.h"
#include "transfer/resume.h"

namespace trawl::transfer {

// What an attempt left of a part file: which bytes of which version are on disk.
struct Journal {
  std::optional<std::int64_t> total;
  Validator validator;
  Spans done;
  PrefixHash hash;  // Of bytes that are done; may lag behind them.
};

[[nodiscard]] std::string to_text(const Journal& journal);
// Errc::invalid for anything that to_text would not write; then the part has to start over.
[[nodiscard]] Result<Journal> parse_journal(std::string_view text);

// Both block. Saving is atomic and durable; loading fails with Errc::not_found if there is none.
[[nodiscard]] Result<void> save_journal(const std::filesystem::path& path, const Journal& journal);
[[nodiscard]] Result<Journal> load_journal(const std::filesystem::path& path);

}  // namespace trawl::transfer
