#include "server/config_checks.h"

#include <fmt/format.h>

#include "access/client_address.h"
#include "access/gcra.h"
#include "access/vault.h"
#include "base/text.h"
#include "media/options.h"
#include "net/egress_rules.h"
#include "net/upstream.h"
#include "net/url.h"
#include "redis/url.h"
#include "server/config.h"
#include "sqs/url.h"
#include "webhooks/signature.h"

namespace trawl::server {
namespace {

constexpr std::string_view kSqlite = "sqlite:///";

bool printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

bool label(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return c >= 0x80 || std::isalnum(c) != 0 || c == '-' || c == '_';
  };
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, allowed);
}

}  // namespace

std::optional<std::string> check_host(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || std::string_view("-._:%").contains(static_cast<char>(c)));
  };
  if (std::ranges::all_of(text, allowed)) return std::nullopt;
  return "must be an address or a host name, without scheme, port or brackets";
}

std::optional<std::string> check_public_url(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::string_view rest = text;
  if (rest.starts_with("https://"))
    rest.remove_prefix(8);
  else if (rest.starts_with("http://"))
    rest.remove_prefix(7);
  else
    return "must begin with http:// or https://";
  const std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.empty() || !printable_ascii(rest) || rest.find_first_of("?#@\\") != std::string_view::npos) {
    return "must be a URL such as https://media.example.com, without user, query or fragment";
  }
  return std::nullopt;
}

std::optional<std::string> check_api_key(std::string_view text) {
  if (printable_ascii(text)) return std::nullopt;
  return "must be printable ASCII without white space, as it travels in a header";
}

std::optional<std::string> check_field_name(std::string_view text) {
  const auto allowed = [](unsigned char c) { return (c < 0x80 && std::isalnum(c) != 0) || c == '-'; };
  if (std::ranges::all_of(text, allowed)) return std::nullopt;
  return "must be the name of a header field: letters, digits and '-'";
}

std::optional<std::string> check_bootstrap_token(std::string_view text) {
  if (!printable_ascii(text)) return "must be printable ASCII without white space, as it travels in a header";
  if (!text.empty() && text.size() < 16) return "must have at least 16 characters";
  return std::nullopt;
}

std::optional<std::string> check_origin(std::string_view text) {
  constexpr std::string_view kWhat =
      "must be origins such as https://app.example.com, without path; '*' is none, as it would open the "
      "server "
      "to every page";
  const std::string_view rest = text.substr(std::min(text.size(), text.find("://") + 3));
  const bool scheme = text.starts_with("https://") || text.starts_with("http://");
  if (scheme && !rest.empty() && printable_ascii(rest) &&
      rest.find_first_of("/?#@\\*") == std::string_view::npos)
    return std::nullopt;
  return std::string(kWhat);
}

std::optional<std::string> check_network(std::string_view text) {
  const auto read = access::parse_proxies({std::string(text)});
  return read ? std::nullopt : std::optional(read.error().message);
}

std::optional<std::string> check_rates(std::string_view text) {
  const auto read = access::parse_rates(text);
  return read ? std::nullopt : std::optional(read.error().message);
}

std::optional<std::string> check_vault_key(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto key = access::VaultKey::parse(text);
  return key ? std::nullopt : std::optional(key.error().message);
}

std::optional<std::string> check_browser(std::string_view text) {
  constexpr std::string_view kKnown[] = {"chrome", "firefox", "edge", "safari", "brave", "opera", "chromium"};
  if (std::ranges::find(kKnown, text) != std::end(kKnown)) return std::nullopt;
  return fmt::format("must be one of {}", fmt::join(kKnown, ", "));
}

std::optional<std::string> check_plain_server(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto url = net::parse_url(text);
  if (url && url->scheme == "http" && url->target == "/") return std::nullopt;
  return "must be http://, a host and a port, and nothing after them";
}

std::optional<std::string> check_path(std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return std::nullopt;
  return "must not contain a NUL byte";
}

std::optional<std::string> check_format(std::string_view text) {
  return text.empty() ? std::nullopt : media::check_custom_format(text);
}

std::optional<std::string> check_cdn_domain(std::string_view text) {
  const bool plain = std::ranges::all_of(
      text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.' || c == ':'; });
  return plain ? std::nullopt : std::optional<std::string>("must be a domain, without https:// or a path");
}

std::optional<std::string> check_db_url(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (postgres_url(text)) return check_path(text);
  if (!text.starts_with(kSqlite)) return "must begin with sqlite:/// or postgresql://";
  text.remove_prefix(kSqlite.size());
  if (text.empty() || text.starts_with(":memory:")) return "must name a file, as jobs outlive the process";
  if (text.contains('?')) return "must not have options after the path";
  return check_path(text);
}

std::optional<std::string> check_redis_url(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto address = redis::parse_url(text);
  return address ? std::nullopt : std::optional(address.error().message);
}

std::optional<std::string> check_queue_url(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto queue = sqs::parse_url(text);
  return queue ? std::nullopt : std::optional(queue.error().message);
}

std::optional<std::string> check_domain(std::string_view text) {
  if (text == "*") return std::nullopt;  // Every one.
  const auto labels = split(text, '.');
  if (text.size() <= 253 && std::ranges::all_of(labels, label)) return std::nullopt;
  return fmt::format("must be domains such as example.com, which covers its subdomains; '{}' is none",
                     to_valid_utf8(text));
}

bool postgres_url(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

std::optional<std::string> check_address_exception(std::string_view text) {
  const auto exception = net::parse_address_exception(text);
  return exception ? std::nullopt : std::optional(exception.error().message);
}

std::optional<std::string> check_port_range(std::string_view text) {
  const auto range = net::parse_port_range(text);
  return range ? std::nullopt : std::optional(range.error().message);
}

std::optional<std::string> check_route(std::string_view text) {
  const auto route = net::parse_route(text);
  return route ? std::nullopt : std::optional(route.error().message);
}

std::filesystem::path sqlite_file(std::string_view url) {
  if (url.starts_with(kSqlite)) url.remove_prefix(kSqlite.size());
  return std::filesystem::path(url);
}

std::optional<std::string> check_webhook_secret(std::string_view text) {
  const auto secret = webhooks::parse_secret(text);
  return secret ? std::nullopt : std::optional(secret.error().message);
}

}  // namespace trawl::server
