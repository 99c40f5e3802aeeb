#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace trawl::net::detail {

// True when resolvers would try to read `host` as an IPv4 address: its last label is a number.
[[nodiscard]] bool ends_in_number(std::string_view host);

// Reads one to four decimal, octal (0...) or hexadecimal (0x...) numbers as inet_aton does: the
// last one fills all bytes that are left. Host byte order; nothing when a part is out of range.
[[nodiscard]] std::optional<std::uint32_t> read_inet_aton(std::string_view host);

}  // namespace trawl::net::detail
