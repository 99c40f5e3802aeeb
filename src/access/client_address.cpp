#include "access/client_address.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::access {
namespace {

namespace ip = boost::asio::ip;

// An address as proxies write it: with or without port, brackets, quotes; IPv4 also mapped into IPv6.
std::optional<ip::address> read_address(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    text = text.substr(1, end - 1);
  } else if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  boost::system::error_code error;
  const auto address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

// The `for` of one element of a Forwarded field (RFC 7239).
std::string_view for_of(std::string_view element) {
  for (const std::string_view pair : split(element, ';')) {
    const std::string_view trimmed = trim(pair);
    if (to_lower(trimmed.substr(0, 4)) == "for=") return trimmed.substr(4);
  }
  return {};
}

}  // namespace

bool TrustedProxies::contains(const ip::address& address) const {
  if (address.is_v4()) {
    return std::ranges::any_of(v4, [&](const ip::network_v4& network) {
      return (address.to_v4().to_uint() & network.netmask().to_uint()) == network.network().to_uint();
    });
  }
  return std::ranges::any_of(v6, [&](const ip::network_v6& network) {
    const ip::network_v6 own(address.to_v6(), network.prefix_length());
    return own.network() == network.network();
  });
}

Result<TrustedProxies> parse_proxies(const std::vector<std::string>& texts) {
  TrustedProxies out;
  for (const std::string& text : texts) {
    boost::system::error_code error;
    const bool v6 = text.find(':') != std::string::npos;
    const std::string whole = text.find('/') != std::string::npos ? text : text + (v6 ? "/128" : "/32");
    if (v6)
      out.v6.push_back(ip::make_network_v6(whole, error));
    else
      out.v4.push_back(ip::make_network_v4(whole, error));
    if (error)
      return fail(Errc::invalid, fmt::format("must be addresses or networks such as 10.0.0.0/8; '{}' is none",
                                             to_valid_utf8(text)));
  }
  return out;
}

std::string client_address(const http::Request& request, const TrustedProxies& trusted, ProxyField field) {
  auto last = read_address(request.remote);
  if (!last || !trusted.contains(*last)) return request.remote;
  const bool forwarded = field == ProxyField::forwarded;
  const auto value = request.headers.find(forwarded ? "Forwarded" : "X-Forwarded-For");
  if (!value) return last->to_string();
  auto elements = split(*value, ',');
  for (auto element = elements.rbegin(); element != elements.rend(); ++element) {
    const auto address = read_address(forwarded ? for_of(*element) : *element);
    if (!address) break;
    last = address;
    if (!trusted.contains(*address)) break;
  }
  return last->to_string();
}

std::string address_group(std::string_view address) {
  boost::system::error_code error;
  const auto parsed = ip::make_address(std::string(address), error);
  if (error || parsed.is_v4()) return std::string(address);
  return ip::network_v6(parsed.to_v6(), 64).network().to_string() + "/64";
}

}  // namespace trawl::access
