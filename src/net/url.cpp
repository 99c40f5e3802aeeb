#include "net/url.h"

#include <charconv>

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/url/parse.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "net/detail/numeric_host.h"

namespace trawl::net {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t kMaxUrl = 8192;
constexpr std::size_t kMaxName = 253;  // RFC 1035
constexpr std::size_t kMaxLabel = 63;

std::unexpected<Error> invalid(std::string why) {
  return fail(Errc::invalid, std::move(why), "invalid_url");
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Result<void> check_characters(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return invalid("the URL contains a control character");
    if (c == ' ') return invalid("the URL contains a space");
    if (c == '\\') return invalid("the URL contains a backslash");
  }
  return {};
}

Result<std::string> parse_scheme(std::string_view text) {
  const auto end = text.find("://");
  std::string scheme = to_lower(text.substr(0, end));
  if (end == std::string_view::npos || (scheme != "http" && scheme != "https")) {
    return invalid("the URL must start with http:// or https://");
  }
  return scheme;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    return invalid("the port must be a number from 1 to 65535");
  }
  return port;
}

Result<std::string> parse_ipv6(std::string_view text) {
  if (text.find('%') != std::string_view::npos) return invalid("IPv6 zone ids are not accepted");
  boost::system::error_code error;
  const auto address = ip::make_address_v6(std::string(text), error);
  if (error) return invalid("the host is not a valid IPv6 address");
  return address.to_string();
}

Result<void> check_name(std::string_view name) {
  if (name.size() > kMaxName) return invalid("the host name is longer than 253 characters");
  if (name.starts_with('-')) return invalid("the host name begins with a hyphen");
  for (const auto label : split(name, '.')) {
    if (label.empty()) return invalid("the host name is empty or has an empty label");
    if (label.size() > kMaxLabel) return invalid("the host name has a label longer than 63 characters");
    for (const char c : label) {
      if (!is_letter_or_digit(c) && c != '-' && c != '_') {
        return invalid("the host name contains a character that is not a letter, digit, hyphen or dot");
      }
    }
  }
  return {};
}

// Path and query with everything RFC 3986 does not allow there percent-encoded.
std::string encode_target(std::string_view text) {
  constexpr std::string_view kAllowed = "-._~!$&'()*+,;=:@/?";
  std::string out = text.starts_with('/') ? "" : "/";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool escape = c == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]);
    if (escape || is_letter_or_digit(c) || kAllowed.find(c) != std::string_view::npos)
      out += c;
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

}  // namespace

Result<std::string> parse_host(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return invalid("the host name contains non-ASCII characters: use the punycode form (xn--...)");
    }
  }
  if (text.find(':') != std::string_view::npos) return parse_ipv6(text);
  if (text.find('%') != std::string_view::npos)
    return invalid("percent escapes in the host are not accepted");
  if (text.ends_with('.')) text.remove_suffix(1);
  if (detail::ends_in_number(text)) {
    const auto address = detail::read_inet_aton(text);
    if (!address) return invalid("the host looks like an IPv4 address but is not one");
    return ip::address_v4(*address).to_string();
  }
  if (auto good = check_name(text); !good) return fail(std::move(good.error()));
  return to_lower(text);
}

Result<Authority> parse_authority(std::string_view text) {
  if (text.find('@') != std::string_view::npos)
    return invalid("user names and passwords in URLs are not accepted");
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return invalid("the bracket before the IPv6 address is not closed");
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && !port.starts_with(':')) return invalid("only a port may follow the IPv6 address");
    if (host.find(':') == std::string_view::npos)
      return invalid("the host in brackets is not an IPv6 address");
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  auto parsed = parse_host(host);
  if (!parsed) return fail(std::move(parsed.error()));
  Authority out{.host = std::move(*parsed), .port = {}};
  if (port.size() > 1) {
    const auto number = parse_port(port.substr(1));
    if (!number) return fail(number.error());
    out.port = *number;
  }
  return out;
}

Result<Url> parse_url(std::string_view text) {
  text = trim(text);
  if (text.empty()) return invalid("the URL is empty");
  if (text.size() > kMaxUrl) return invalid(fmt::format("the URL is longer than {} characters", kMaxUrl));
  if (auto good = check_characters(text); !good) return fail(std::move(good.error()));
  auto scheme = parse_scheme(text);
  if (!scheme) return fail(std::move(scheme.error()));

  std::string_view rest = text.substr(scheme->size() + 3);
  rest = rest.substr(0, rest.find('#'));
  const auto path = rest.find_first_of("/?");
  auto authority = parse_authority(rest.substr(0, path));
  if (!authority) return fail(std::move(authority.error()));

  Url url{.scheme = std::move(*scheme),
          .host = std::move(authority->host),
          .port = authority->port.value_or(0),
          .target = encode_target(path == std::string_view::npos ? "" : rest.substr(path))};
  if (url.port == 0) url.port = default_port(url.scheme);
  // A second opinion on the whole, by a parser that was written for the grammar alone.
  if (!boost::urls::parse_absolute_uri(to_string(url))) return invalid("the URL is malformed");
  return url;
}

std::string to_authority(const Url& url) {
  std::string out = url.host.find(':') == std::string::npos ? url.host : fmt::format("[{}]", url.host);
  if (url.port != default_port(url.scheme)) fmt::format_to(std::back_inserter(out), ":{}", url.port);
  return out;
}

std::string to_string(const Url& url) {
  return fmt::format("{}://{}{}", url.scheme, to_authority(url), url.target);
}

std::string redact_url(std::string_view text) {
  if (auto url = parse_url(text)) {
    url->target.resize(std::min(url->target.find('?'), url->target.size()));
    return to_string(*url);
  }
  // Where its parts end is anybody's guess, so what could hold a password is not shown at all.
  if (text.find('@') != std::string_view::npos) return "[unreadable URL]";
  return to_valid_utf8(text.substr(0, std::min(text.find_first_of("?#"), kMaxUrl)));
}

}  // namespace trawl::net
