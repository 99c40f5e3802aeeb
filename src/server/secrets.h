#pragma once

#include <filesystem>
#include <string>

#include "access/vault.h"
#include "base/result.h"
#include "server/config.h"

namespace trawl::server {

// The keys of the configuration, the newest first. Errc::invalid when cookies.key_file cannot be read or
// holds no key.
[[nodiscard]] Result<access::Vault> open_vault(const CookiesConfig& cookies);

// A random secret of this server that outlives it, in a file that only its user can read: what the file
// holds, written first when it is not there.
[[nodiscard]] Result<std::string> keep_secret(const std::filesystem::path& file);

}  // namespace trawl::server
