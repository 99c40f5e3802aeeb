#include "access/file_links.h"

#include <charconv>

#include <fmt/format.h>
#include <openssl/hmac.h>

#include "access/key_text.h"
#include "base/text.h"

namespace trawl::access {
namespace {

constexpr std::string_view kColumns = "id, artifact_id, key_id, method, expires_at";

std::int64_t seconds_of(SystemTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::int64_t millis(SystemTime time) {
  return time.time_since_epoch().count();
}

std::unexpected<Error> invalid() {
  return fail(Errc::forbidden, "the link is not valid", "link_invalid");
}

Result<std::vector<FileLink>> read_links(const std::vector<db::Row>& rows) {
  std::vector<FileLink> links;
  for (const db::Row& row : rows) {
    const auto artifact = ArtifactId::parse(row.text(1));
    if (!artifact) return fail(Errc::internal, fmt::format("the row of link {} is damaged", row.text(0)));
    links.push_back({.id = row.text(0),
                     .artifact = *artifact,
                     .key = row.text(2),
                     .method = row.text(3),
                     .expires_at = SystemTime(Millis(row.integer(4)))});
  }
  return links;
}

}  // namespace

std::string LinkSigner::signature(const FileLink& link) const {
  // Every part but the last is free of line breaks, so no two links say the same.
  const std::string said = fmt::format("trawl file link 1\n{}\n{}\n{}\n{}\n{}", link.method,
                                       link.artifact.str(), link.id, link.key, seconds_of(link.expires_at));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(said.data()), said.size(), digest, &size);
  std::string out;
  for (unsigned i = 0; i < size; ++i) fmt::format_to(std::back_inserter(out), "{:02x}", digest[i]);
  return out;
}

std::string LinkSigner::query(const FileLink& link) const {
  return fmt::format("link={}&key={}&expires={}&signature={}", link.id, link.key, seconds_of(link.expires_at),
                     signature(link));
}

Result<FileLink> LinkSigner::check(
    const std::function<std::optional<std::string>(std::string_view)>& parameter, const ArtifactId& artifact,
    std::string_view method, SystemTime now) const {
  const auto id = parameter("link"), key = parameter("key"), expires = parameter("expires"),
             offered = parameter("signature");
  if (!id || !key || !expires || !offered) return invalid();
  if (id->contains('\n') || key->contains('\n')) return invalid();
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(expires->data(), expires->data() + expires->size(), seconds);
  if (error != std::errc{} || end != expires->data() + expires->size() || seconds < 0 ||
      seconds > 253'402'300'799)
    return invalid();
  FileLink link{.id = *id,
                .artifact = artifact,
                .key = *key,
                .method = method == "HEAD" ? "GET" : std::string(method),
                .expires_at = SystemTime(std::chrono::seconds(seconds))};
  if (!same_digest(*offered, signature(link))) return invalid();
  if (now >= link.expires_at) return fail(Errc::forbidden, "the link has expired", "link_expired");
  return link;
}

Task<Result<void>> LinkStore::add(FileLink link, std::string owner) {
  co_return co_await database_.write([link = std::move(link), owner = std::move(owner),
                                      now = clock_.now()](db::Transaction& transaction) -> Result<void> {
    const auto forgotten = transaction.execute("DELETE FROM file_links WHERE expires_at < $1", {millis(now)});
    if (!forgotten) return fail(forgotten.error());
    const auto added = transaction.execute(
        "INSERT INTO file_links (id, artifact_id, key_id, method, expires_at, owner, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        {link.id, link.artifact.str(), link.key, link.method, millis(link.expires_at), owner, millis(now)});
    if (!added) return fail(added.error());
    return {};
  });
}

Task<Result<void>> LinkStore::revoke(std::string id, std::optional<std::string> owner) {
  const auto removed =
      co_await database_.write([id, owner, now = clock_.now()](db::Transaction& transaction) {
        return owner ? transaction.execute(
                           "DELETE FROM file_links WHERE id = $1 AND expires_at >= $2 AND owner = $3",
                           {id, millis(now), *owner})
                     : transaction.execute("DELETE FROM file_links WHERE id = $1 AND expires_at >= $2",
                                           {id, millis(now)});
      });
  if (!removed) co_return fail(removed.error());
  if (*removed == 0) co_return fail(Errc::not_found, fmt::format("there is no link {}", to_valid_utf8(id)));
  co_return Result<void>();
}

Task<Result<std::vector<FileLink>>> LinkStore::list(std::optional<std::string> owner) {
  co_return co_await database_.read([owner, now = clock_.now()](
                                        db::Transaction& transaction) -> Result<std::vector<FileLink>> {
    const auto rows =
        owner ? transaction.query(fmt::format("SELECT {} FROM file_links WHERE expires_at >= $1 AND owner = "
                                              "$2 ORDER BY created_at DESC",
                                              kColumns),
                                  {millis(now), *owner})
              : transaction.query(
                    fmt::format("SELECT {} FROM file_links WHERE expires_at >= $1 ORDER BY created_at DESC",
                                kColumns),
                    {millis(now)});
    if (!rows) return fail(rows.error());
    return read_links(*rows);
  });
}

Task<Result<void>> LinkStore::check(std::string id) {
  const auto rows = co_await database_.read([id](db::Transaction& transaction) {
    return transaction.query("SELECT 1 FROM file_links WHERE id = $1", {id});
  });
  if (!rows) co_return fail(rows.error());
  if (rows->empty()) co_return fail(Errc::forbidden, "the link was taken back", "link_revoked");
  co_return Result<void>();
}

}  // namespace trawl::access
