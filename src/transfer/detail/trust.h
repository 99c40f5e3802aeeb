#pragma once

#include <memory>
#include <string>

struct x509_store_st;

namespace trawl::transfer::detail {

// The certificate authorities that connections are verified with: those of the system and those of
// `ca_file` (PEM; may be empty). Shared by all connections, because reading them takes longer than a
// handshake. Throws std::runtime_error when `ca_file` cannot be used.
using Trust = std::shared_ptr<x509_store_st>;
[[nodiscard]] Trust load_trust(const std::string& ca_file);

}  // namespace trawl::transfer::detail
