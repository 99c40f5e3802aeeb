#include "server/secrets.h"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>

#include "access/key_text.h"

namespace trawl::server {

Result<access::Vault> open_vault(const CookiesConfig& cookies) {
  std::vector<access::VaultKey> keys;
  const auto add = [&](std::string_view text, std::string_view from) -> Result<void> {
    auto key = access::VaultKey::parse(text);
    if (!key) return fail(Errc::invalid, fmt::format("{} {}", from, key.error().message));
    keys.push_back(std::move(*key));
    return {};
  };
  if (!cookies.key.empty()) {
    if (auto added = add(cookies.key, "cookies.key"); !added) return fail(added.error());
  }
  if (!cookies.key_file.empty()) {
    std::string text;
    if (!(std::ifstream(cookies.key_file) >> text))
      return fail(Errc::invalid, fmt::format("cookies.key_file: cannot read {}", cookies.key_file));
    if (auto added = add(text, fmt::format("cookies.key_file {}", cookies.key_file)); !added)
      return fail(added.error());
  }
  for (const std::string& old : cookies.old_keys) {
    if (auto added = add(old, "cookies.old_keys"); !added) return fail(added.error());
  }
  return access::Vault(std::move(keys));
}

Result<std::string> keep_secret(const std::filesystem::path& file) {
  std::string secret;
  if (std::ifstream(file) >> secret && secret.size() >= 16) return secret;
  secret = access::random_base62(43);
  const int descriptor =
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  const std::string line = secret + "\n";
  const bool written =
      descriptor >= 0 && ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int cause = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!written)
    return fail(Errc::unavailable,
                fmt::format("cannot write {}: {}", file.string(), std::generic_category().message(cause)));
  return secret;
}

}  // namespace trawl::server
