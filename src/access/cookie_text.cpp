#include "access/cookie_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace trawl::access {
namespace {

constexpr std::size_t kMaxCookies = 3000;
constexpr std::string_view kHttpOnly = "#HttpOnly_";

std::unexpected<Error> invalid(std::string_view where, std::string_view what) {
  return fail(Errc::invalid, fmt::format("Invalid cookies: {} {}", where, what), "invalid_cookies");
}

bool without_controls(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool host_name(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return c >= 0x80 || std::isalnum(c) != 0 || std::string_view("-._:[]").contains(static_cast<char>(c));
  };
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, allowed);
}

// What is wrong with a cookie whatever form it came in, or nothing.
std::optional<std::string_view> fault_of(const BrowserCookie& cookie) {
  if (!host_name(cookie.domain)) return "has a domain that is none";
  if (cookie.name.empty() && cookie.value.empty()) return "has neither a name nor a value";
  if (!cookie.path.starts_with('/')) return "has a path that does not begin with '/'";
  for (const std::string* text : {&cookie.name, &cookie.value, &cookie.path}) {
    if (!without_controls(*text)) return "has control characters";
    if (text->size() > 8192) return "is too long";
  }
  return std::nullopt;
}

void set_domain(BrowserCookie& cookie, std::string_view domain) {
  cookie.subdomains = cookie.subdomains || domain.starts_with('.');
  if (domain.starts_with('.')) domain.remove_prefix(1);
  cookie.domain = to_lower(domain);
}

// "TRUE" and "FALSE", as the format has them.
std::optional<bool> flag(std::string_view text) {
  const std::string word = to_lower(text);
  if (word == "true") return true;
  if (word == "false") return false;
  return std::nullopt;
}

Result<BrowserCookie> parse_line(std::string_view line, const std::string& where) {
  BrowserCookie cookie;
  if (line.starts_with(kHttpOnly)) {
    cookie.http_only = true;
    line.remove_prefix(kHttpOnly.size());
  }
  const auto fields = split(line, '\t');
  if (fields.size() != 7) return invalid(where, "does not have seven fields separated by tabs");
  const auto subdomains = flag(fields[1]), secure = flag(fields[3]);
  if (!subdomains || !secure) return invalid(where, "has a flag that is neither TRUE nor FALSE");
  double expires = 0;  // Some exports have fractions.
  const auto [end, error] = std::from_chars(fields[4].data(), fields[4].data() + fields[4].size(), expires);
  if (error != std::errc{} || end != fields[4].data() + fields[4].size() || !(std::abs(expires) < 1e15))
    return invalid(where, "has an expiry that is no number");
  cookie.subdomains = *subdomains;
  set_domain(cookie, fields[0]);
  cookie.path = fields[2];
  cookie.secure = *secure;
  if (expires > 0) cookie.expires = static_cast<std::int64_t>(expires);
  cookie.name = fields[5];
  cookie.value = fields[6];
  if (const auto fault = fault_of(cookie)) return invalid(where, *fault);
  return cookie;
}

Result<std::vector<BrowserCookie>> parse_netscape(std::string_view text) {
  std::vector<BrowserCookie> cookies;
  std::size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (trim(line).empty() || (line.starts_with('#') && !line.starts_with(kHttpOnly))) continue;
    auto cookie = parse_line(line, fmt::format("line {}", number));
    if (!cookie) return fail(std::move(cookie.error()));
    cookies.push_back(std::move(*cookie));
  }
  return cookies;
}

// The first of `names` that `object` has.
const json::value* member(const json::object& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const json::value* value = object.if_contains(name); value && !value->is_null()) return value;
  }
  return nullptr;
}

bool truth(const json::value* value, bool otherwise) {
  return value && value->is_bool() ? value->as_bool() : otherwise;
}

Result<BrowserCookie> parse_entry(const json::value& entry, const std::string& where) {
  const json::object* object = entry.if_object();
  if (!object) return invalid(where, "is no object");
  const json::value *domain = member(*object, {"domain", "host"}), *name = member(*object, {"name"}),
                    *value = member(*object, {"value"}), *path = member(*object, {"path"}),
                    *expires = member(*object, {"expirationDate", "expires", "expiry"});
  if (!domain || !domain->is_string() || !name || !name->is_string() || !value || !value->is_string())
    return invalid(where, "needs domain, name and value as text");
  BrowserCookie cookie;
  const std::string_view host = domain->get_string();
  cookie.subdomains = !truth(member(*object, {"hostOnly"}), !host.starts_with('.'));
  set_domain(cookie, host);
  cookie.name = name->get_string();
  cookie.value = value->get_string();
  if (path && path->is_string()) cookie.path = path->get_string();
  cookie.secure = truth(member(*object, {"secure"}), false);
  cookie.http_only = truth(member(*object, {"httpOnly"}), false);
  if (expires && expires->is_number()) {
    const double seconds = expires->to_number<double>();
    if (seconds > 0 && seconds < 1e15) cookie.expires = static_cast<std::int64_t>(seconds);
  }
  if (truth(member(*object, {"session"}), false)) cookie.expires.reset();
  if (const auto fault = fault_of(cookie)) return invalid(where, *fault);
  return cookie;
}

Result<std::vector<BrowserCookie>> parse_export(std::string_view text) {
  const auto document = parse_json(text);
  if (!document) return invalid("the text", "is neither JSON nor Netscape text");
  const json::value* list = &*document;
  if (const json::object* object = list->if_object()) list = object->if_contains("cookies");
  const json::array* entries = list ? list->if_array() : nullptr;
  if (!entries) return invalid("the JSON", "is no list of cookies");
  std::vector<BrowserCookie> cookies;
  for (const json::value& entry : *entries) {
    auto cookie = parse_entry(entry, fmt::format("entry {}", cookies.size() + 1));
    if (!cookie) return fail(std::move(cookie.error()));
    cookies.push_back(std::move(*cookie));
  }
  return cookies;
}

std::string_view flag(bool value) {
  return value ? "TRUE" : "FALSE";
}

}  // namespace

Result<std::vector<BrowserCookie>> parse_cookies(std::string_view text) {
  const std::string_view begin = trim(text);
  const bool json = begin.starts_with('[') || begin.starts_with('{');
  auto cookies = json ? parse_export(begin) : parse_netscape(text);
  if (!cookies) return cookies;
  if (cookies->empty()) return invalid("the text", "has no cookies");
  if (cookies->size() > kMaxCookies)
    return invalid("the text", fmt::format("has more than {} cookies", kMaxCookies));
  return cookies;
}

std::string netscape_text(const std::vector<BrowserCookie>& cookies) {
  std::string out = "# Netscape HTTP Cookie File\n";
  for (const BrowserCookie& cookie : cookies) {
    fmt::format_to(std::back_inserter(out), "{}{}{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                   cookie.http_only ? kHttpOnly : "", cookie.subdomains ? "." : "", cookie.domain,
                   flag(cookie.subdomains), cookie.path, flag(cookie.secure), cookie.expires.value_or(0),
                   cookie.name, cookie.value);
  }
  return out;
}

CookieFacts facts_of(const std::vector<BrowserCookie>& cookies) {
  CookieFacts facts;
  std::set<std::string> domains;
  bool endless = false;
  for (const BrowserCookie& cookie : cookies) {
    domains.insert(cookie.domain);
    if (!cookie.expires) {
      endless = true;
      continue;
    }
    const SystemTime at{std::chrono::seconds(*cookie.expires)};
    if (!facts.first_expiry || at < *facts.first_expiry) facts.first_expiry = at;
    if (!facts.expires_at || at > *facts.expires_at) facts.expires_at = at;
  }
  if (endless) facts.expires_at.reset();
  facts.domains.assign(domains.begin(), domains.end());
  return facts;
}

}  // namespace trawl::access
