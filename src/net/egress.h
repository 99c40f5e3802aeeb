#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "base/result.h"
#include "net/egress_rules.h"
#include "net/url.h"

namespace trawl::net {

// Says where connections may go. Pure: no DNS, no sockets.
//
// Domains are matched on label borders. Addresses are judged by an own table (the IANA special
// purpose registries for IPv4 and IPv6, both halves of every IPv4-in-IPv6 form), because libraries'
// notions of "public" let several internal forms through.
//
// Every refusal is Errc::forbidden with the reason "scheme_not_allowed", "domain_not_allowed",
// "port_not_allowed" or "address_not_allowed".
class EgressPolicy {
 public:
  explicit EgressPolicy(EgressRules rules);

  // For a page somebody asks to download: scheme, port, domain lists, and the address if the host
  // is one.
  [[nodiscard]] Result<void> judge_url(const Url& url) const;

  // For any connection, before its name is resolved: the domain lists (with the hosts that only media
  // come from), and whether the port is open for any address. `host` as parse_host gives it.
  [[nodiscard]] Result<void> judge_connection(std::string_view host, std::uint16_t port) const;

  // What a name resolved to, and the port on it: to be asked for every address before it is dialled.
  [[nodiscard]] Result<void> judge_address(const boost::asio::ip::address& address, std::uint16_t port) const;

  // Both ends of a connection that stands: as judge_address, and the peer is another machine, unless the
  // operator opened its address. A public address may be one of our own interfaces.
  [[nodiscard]] Result<void> judge_peer(const boost::asio::ip::address& peer, std::uint16_t port,
                                        const boost::asio::ip::address& local) const;

  // Closes a port of this machine that the program itself listens on, whatever else is open. Any thread;
  // copies of the policy share it.
  void close_own_port(std::uint16_t port);

  // Has every refusal's reason told to `listener`, on whatever thread asked; copies made before and after
  // tell it too. To be set before the policy is used.
  void on_refusal(std::function<void(std::string_view reason)> listener);

  [[nodiscard]] const EgressRules& rules() const { return rules_; }

 private:
  struct Shared;

  [[nodiscard]] Result<void> told(Result<void> verdict) const;
  [[nodiscard]] Result<void> check_url(const Url& url) const;
  [[nodiscard]] Result<void> check_connection(std::string_view host, std::uint16_t port) const;
  [[nodiscard]] Result<void> check_address(const boost::asio::ip::address& address, std::uint16_t port) const;
  [[nodiscard]] Result<void> check_peer(const boost::asio::ip::address& peer, std::uint16_t port,
                                        const boost::asio::ip::address& local) const;
  [[nodiscard]] Result<void> judge_names(std::string_view host) const;
  [[nodiscard]] Result<void> judge_port(std::uint16_t port) const;
  [[nodiscard]] const AddressException* exception_for(const boost::asio::ip::address& address,
                                                      std::uint16_t port) const;
  [[nodiscard]] bool opens_this_machine() const;
  [[nodiscard]] bool is_own_port(std::uint16_t port) const;

  EgressRules rules_;  // Domains in the form parse_host gives, without leading dots.
  std::shared_ptr<Shared> shared_;
};

}  // namespace trawl::net
