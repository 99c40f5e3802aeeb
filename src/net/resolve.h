#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "async/task.h"
#include "base/result.h"
#include "net/egress.h"

namespace trawl::net {

// Resolves `host` (a name or an address, as parse_host gives it) and judges every address with the port
// to be dialled: the judged addresses in the order to try them, none twice. Errc::forbidden
// ("address_not_allowed", "port_not_allowed") if any is refused, Errc::unavailable ("dns_failed") if
// there is none, Errc::timeout ("dns_timeout") if the resolver has not answered within `limit`.
//
// Names are looked up by a few threads that belong to the caller's io_context, so a name whose
// servers are dead does not hold up the others. They are joined when the io_context is destroyed.
[[nodiscard]] Task<Result<std::vector<boost::asio::ip::address>>> resolve_judged(
    const EgressPolicy& policy, std::string host, std::uint16_t port,
    std::chrono::steady_clock::duration limit = std::chrono::seconds(10));

// The same without a judge: only for hosts that the operator has named.
[[nodiscard]] Task<Result<std::vector<boost::asio::ip::address>>> resolve(
    std::string host, std::chrono::steady_clock::duration limit);

}  // namespace trawl::net
