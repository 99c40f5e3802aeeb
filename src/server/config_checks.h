#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trawl::server {

// What is wrong with a text value, or nothing.
[[nodiscard]] std::optional<std::string> check_host(std::string_view text);
[[nodiscard]] std::optional<std::string> check_public_url(std::string_view text);
[[nodiscard]] std::optional<std::string> check_api_key(std::string_view text);
[[nodiscard]] std::optional<std::string> check_field_name(std::string_view text);
[[nodiscard]] std::optional<std::string> check_bootstrap_token(std::string_view text);
[[nodiscard]] std::optional<std::string> check_origin(std::string_view text);
[[nodiscard]] std::optional<std::string> check_network(std::string_view text);
[[nodiscard]] std::optional<std::string> check_rates(std::string_view text);
[[nodiscard]] std::optional<std::string> check_vault_key(std::string_view text);
[[nodiscard]] std::optional<std::string> check_browser(std::string_view text);
[[nodiscard]] std::optional<std::string> check_format(std::string_view text);
[[nodiscard]] std::optional<std::string> check_path(std::string_view text);
// "http://host:port", or empty.
[[nodiscard]] std::optional<std::string> check_plain_server(std::string_view text);
[[nodiscard]] std::optional<std::string> check_db_url(std::string_view text);
[[nodiscard]] std::optional<std::string> check_redis_url(std::string_view text);
[[nodiscard]] std::optional<std::string> check_queue_url(std::string_view text);
[[nodiscard]] std::optional<std::string> check_cdn_domain(std::string_view text);
[[nodiscard]] std::optional<std::string> check_domain(std::string_view text);
[[nodiscard]] std::optional<std::string> check_address_exception(std::string_view text);
[[nodiscard]] std::optional<std::string> check_port_range(std::string_view text);
[[nodiscard]] std::optional<std::string> check_route(std::string_view text);
[[nodiscard]] std::optional<std::string> check_webhook_secret(std::string_view text);

}  // namespace trawl::server
