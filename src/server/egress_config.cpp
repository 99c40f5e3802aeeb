#include "server/egress_config.h"

#include "base/log.h"

namespace trawl::server {

net::EgressRules egress_rules(const PolicyConfig& policy) {
  net::EgressRules rules{.allow_private_networks = policy.allow_private_networks,
                         .allowed_domains = policy.allowed_domains,
                         .denied_domains = policy.denied_domains,
                         .allow_youtube = policy.allow_youtube,
                         .youtube_only = policy.youtube_only,
                         .media_domains = policy.media_domains};
  for (const auto& text : policy.allow_addresses)
    rules.allow_addresses.push_back(net::parse_address_exception(text).value());
  rules.allowed_ports.clear();
  for (const auto& text : policy.allowed_ports)
    rules.allowed_ports.push_back(net::parse_port_range(text).value());
  return rules;
}

std::optional<net::EgressProxy::Options::Service> pot_provider(const EngineConfig& engine) {
  if (engine.pot_provider.empty()) return std::nullopt;
  const auto url = net::parse_url(engine.pot_provider).value();
  return net::EgressProxy::Options::Service{.host = url.host, .port = url.port};
}

std::vector<net::Route> upstream_routes(const UpstreamConfig& upstream) {
  std::vector<net::Route> out;
  for (const auto& text : upstream.proxies) out.push_back(net::parse_route(text).value());
  return out;
}

void log_egress(const Config& config) {
  for (const auto& exception : egress_rules(config.policy).allow_addresses)
    log_info("downloads may reach addresses that are not public", {{"network", net::to_string(exception)}});
  if (config.policy.allow_private_networks) log_info("downloads may reach private networks and any port");
  for (const auto& route : upstream_routes(config.upstream)) {
    log_info("downloads go out through a proxy",
             {{"site", route.site.empty() ? "*" : route.site},
              {"proxy", route.upstream ? route.upstream->name() : "direct"}});
  }
}

transfer::ClientLimits client_limits(const TransferConfig& transfer) {
  transfer::ClientLimits limits;
  limits.connections_per_host = static_cast<std::size_t>(transfer.connections_per_host);
  limits.bytes_per_second = transfer.rate_limit_bytes.value;
  limits.bytes_per_second_per_host = transfer.rate_limit_per_host_bytes.value;
  limits.connect_timeout = std::chrono::seconds(transfer.connect_timeout_sec);
  limits.quiet_timeout = std::chrono::seconds(transfer.quiet_timeout_sec);
  limits.ca_file = transfer.ca_file;
  return limits;
}

}  // namespace trawl::server
