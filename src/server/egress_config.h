#pragma once

#include <optional>
#include <vector>

#include "net/egress_proxy.h"
#include "net/egress_rules.h"
#include "net/upstream.h"
#include "server/config.h"
#include "transfer/http_client.h"

namespace trawl::server {

// The checked settings of section `policy` as rules.
[[nodiscard]] net::EgressRules egress_rules(const PolicyConfig& policy);

// How the server itself fetches.
[[nodiscard]] transfer::ClientLimits client_limits(const TransferConfig& transfer);

// Where PO tokens are made, which is checked with the configuration; nothing when nobody makes any.
[[nodiscard]] std::optional<net::EgressProxy::Options::Service> pot_provider(const EngineConfig& engine);

[[nodiscard]] std::vector<net::Route> upstream_routes(const UpstreamConfig& upstream);

// Logs what the operator has opened, and through which proxies downloads go.
void log_egress(const Config& config);

}  // namespace trawl::server
