#include "net/egress_rules.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::net {
namespace {

namespace ip = boost::asio::ip;

std::unexpected<Error> invalid(std::string why) {
  return fail(Errc::invalid, std::move(why), "invalid_rule");
}

template <class Number>
std::optional<Number> read_number(std::string_view text) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// The first `prefix` bits of two addresses of one family are the same.
template <class Bytes>
bool same_network(const Bytes& a, const Bytes& b, unsigned prefix) {
  for (std::size_t i = 0; i < a.size() && prefix > 0; ++i) {
    const unsigned bits = std::min(prefix, 8U);
    if (((a[i] ^ b[i]) >> (8 - bits)) != 0) return false;
    prefix -= bits;
  }
  return true;
}

template <class Bytes>
bool has_host_bits(Bytes bytes, unsigned prefix) {
  Bytes network{};
  for (std::size_t i = 0; i < bytes.size() && prefix > 0; ++i) {
    const unsigned bits = std::min(prefix, 8U);
    network[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> bits));
    prefix -= bits;
  }
  return network != bytes;
}

struct Pieces {
  std::string_view network;
  std::optional<std::string_view> ports;
};

std::optional<Pieces> take_apart(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const auto rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    return Pieces{text.substr(1, close - 1), rest.empty() ? std::nullopt : std::optional(rest.substr(1))};
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos)
    return Pieces{text, std::nullopt};
  return Pieces{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

Result<PortRange> parse_port_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = read_number<std::uint16_t>(text.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : read_number<std::uint16_t>(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *last < *first) {
    return invalid(
        fmt::format("'{}' is no port such as 443 and no range such as 8000-8100", to_valid_utf8(text)));
  }
  return PortRange{*first, *last};
}

bool AddressException::contains(const ip::address& address) const {
  if (address.is_v4() != network.is_v4()) return false;
  return address.is_v4() ? same_network(address.to_v4().to_bytes(), network.to_v4().to_bytes(), prefix)
                         : same_network(address.to_v6().to_bytes(), network.to_v6().to_bytes(), prefix);
}

Result<AddressException> parse_address_exception(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return invalid(fmt::format("'{}' {}", to_valid_utf8(text), why));
  };
  constexpr std::string_view kForm = "is not of the form 10.0.0.0/8, 10.0.0.0/8:443 or [fd00::/8]:443";
  const auto pieces = take_apart(text);
  if (!pieces) return wrong(kForm);
  const auto slash = pieces->network.find('/');
  boost::system::error_code error;
  AddressException out;
  out.network = ip::make_address(std::string(pieces->network.substr(0, slash)), error);
  if (error || (out.network.is_v6() && out.network.to_v6().scope_id() != 0)) return wrong(kForm);
  const unsigned longest = out.network.is_v4() ? 32 : 128;
  const auto prefix =
      slash == std::string_view::npos ? longest : read_number<unsigned>(pieces->network.substr(slash + 1));
  if (!prefix || *prefix > longest) return wrong("has no valid prefix length");
  out.prefix = *prefix;
  const bool outside = out.network.is_v4() ? has_host_bits(out.network.to_v4().to_bytes(), out.prefix)
                                           : has_host_bits(out.network.to_v6().to_bytes(), out.prefix);
  if (outside) return wrong("has bits set behind its prefix");
  if (pieces->ports) {
    const auto ports = parse_port_range(*pieces->ports);
    if (!ports) return fail(ports.error());
    out.ports = *ports;
  }
  return out;
}

std::string to_string(const AddressException& exception) {
  const auto network = fmt::format("{}/{}", exception.network.to_string(), exception.prefix);
  if (!exception.ports) return network;
  const auto& [first, last] = *exception.ports;
  const auto ports = first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
  return exception.network.is_v6() ? fmt::format("[{}]:{}", network, ports)
                                   : fmt::format("{}:{}", network, ports);
}

}  // namespace trawl::net
