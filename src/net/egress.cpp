#include "net/egress.h"

#include <algorithm>
#include <array>
#include <atomic>

#include <fmt/format.h>

#include "base/text.h"
#include "net/detail/address_table.h"

namespace trawl::net {
namespace {

constexpr std::string_view kYoutubePages[] = {"youtube.com", "youtu.be", "youtube-nocookie.com"};
constexpr std::string_view kYoutubeServers[] = {"googlevideo.com",        "ytimg.com",
                                                "youtube.googleapis.com", "youtubei.googleapis.com",
                                                "youtubekids.com",        "ggpht.com"};

// Ascending. Databases, brokers, control planes and other services that answer HTTP-shaped bytes,
// and what browsers refuse above 1023 (the Fetch standard's bad ports).
constexpr std::uint16_t kServicePorts[] = {
    1433,  1434,  1521,  1719,  1720,  1723,  1883,  2049,  2181,  2375,  2376,  2377,  2379,
    2380,  3306,  3389,  3659,  4045,  4190,  4369,  4444,  5060,  5061,  5432,  5433,  5671,
    5672,  5900,  5984,  5985,  5986,  6000,  6379,  6380,  6443,  6566,  6665,  6666,  6667,
    6668,  6669,  6697,  7000,  7001,  7199,  7473,  7474,  7687,  8086,  8125,  8200,  8300,
    8301,  8500,  8529,  9042,  9092,  9160,  9200,  9300,  10050, 10051, 10080, 10250, 10255,
    10256, 11211, 15672, 16379, 26379, 27017, 27018, 27019, 28015, 28017, 50070, 61613, 61616};
static_assert(std::ranges::is_sorted(kServicePorts));

std::string normalise_rule(std::string_view rule) {
  std::string out = to_lower(trim(rule));
  if (out == "*") return out;
  if (out.starts_with("*."))
    out.erase(0, 2);
  else if (out.starts_with('.'))
    out.erase(0, 1);
  if (out.size() > 2 && out.front() == '[' && out.back() == ']') out = out.substr(1, out.size() - 2);
  if (auto host = parse_host(out)) return *host;
  while (out.ends_with('.')) out.pop_back();
  return out;
}

void normalise(std::vector<std::string>& rules) {
  for (std::string& rule : rules) rule = normalise_rule(rule);
  std::erase(rules, "");
}

bool is_address(std::string_view host) {
  boost::system::error_code error;
  (void)boost::asio::ip::make_address(host, error);
  return !error;
}

bool covers(std::string_view rule, std::string_view host) {
  if (rule == "*" || rule == host) return true;
  if (host.size() <= rule.size() || !host.ends_with(rule)) return false;
  return host[host.size() - rule.size() - 1] == '.' && !is_address(host);
}

bool covered(const auto& rules, std::string_view host) {
  return std::ranges::any_of(rules, [&](std::string_view rule) { return covers(rule, host); });
}

// RFC 6761 section 6.3: these names mean this machine, whatever a resolver makes of them.
bool means_this_machine(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

std::unexpected<Error> refuse_domain(std::string_view host, std::string_view why) {
  return fail(Errc::forbidden, fmt::format("downloads from {} are not allowed here: {}", host, why),
              "domain_not_allowed");
}

std::unexpected<Error> refuse_address(const boost::asio::ip::address& address, std::string_view why) {
  return fail(Errc::forbidden, fmt::format("connections to {} are not allowed: {}", address.to_string(), why),
              "address_not_allowed");
}

}  // namespace

struct EgressPolicy::Shared {
  // A handful of listeners, added while others may be asking.
  std::array<std::atomic<std::uint16_t>, 32> own_ports{};
  std::function<void(std::string_view reason)> on_refusal;
};

EgressPolicy::EgressPolicy(EgressRules rules)
    : rules_(std::move(rules)), shared_(std::make_shared<Shared>()) {
  normalise(rules_.allowed_domains);
  normalise(rules_.denied_domains);
  normalise(rules_.media_domains);
}

void EgressPolicy::on_refusal(std::function<void(std::string_view reason)> listener) {
  shared_->on_refusal = std::move(listener);
}

Result<void> EgressPolicy::told(Result<void> verdict) const {
  if (!verdict && shared_->on_refusal) shared_->on_refusal(verdict.error().reason);
  return verdict;
}

Result<void> EgressPolicy::judge_url(const Url& url) const {
  return told(check_url(url));
}

Result<void> EgressPolicy::judge_connection(std::string_view host, std::uint16_t port) const {
  return told(check_connection(host, port));
}

Result<void> EgressPolicy::judge_address(const boost::asio::ip::address& address, std::uint16_t port) const {
  return told(check_address(address, port));
}

Result<void> EgressPolicy::judge_peer(const boost::asio::ip::address& peer, std::uint16_t port,
                                      const boost::asio::ip::address& local) const {
  return told(check_peer(peer, port, local));
}

void EgressPolicy::close_own_port(std::uint16_t port) {
  for (auto& place : shared_->own_ports) {
    std::uint16_t expected = 0;
    if (place.compare_exchange_strong(expected, port) || expected == port) return;
  }
}

bool EgressPolicy::is_own_port(std::uint16_t port) const {
  return port != 0 && std::ranges::any_of(shared_->own_ports, [&](const auto& own) { return own == port; });
}

Result<void> EgressPolicy::judge_names(std::string_view host) const {
  if (covered(rules_.denied_domains, host)) return refuse_domain(host, "the domain is on the deny list");
  const bool youtube = covered(kYoutubePages, host) || covered(kYoutubeServers, host);
  if (!rules_.allow_youtube && youtube) return refuse_domain(host, "YouTube is switched off");
  const bool for_media = covered(rules_.media_domains, host);
  if (rules_.youtube_only && !youtube && !for_media) return refuse_domain(host, "only YouTube is");
  if (rules_.allowed_domains.empty() || for_media || covered(rules_.allowed_domains, host)) return {};
  // Nobody who allows YouTube wants its pages without its videos.
  if (youtube && covered(rules_.allowed_domains, "www.youtube.com")) return {};
  return refuse_domain(host,
                       "the domain is not on the list of allowed ones (policy.allowed_domains, or"
                       " policy.media_domains for hosts that only media come from)");
}

Result<void> EgressPolicy::check_url(const Url& url) const {
  if (url.scheme != "http" && url.scheme != "https") {
    return fail(Errc::forbidden, fmt::format("the scheme {} is not allowed", url.scheme),
                "scheme_not_allowed");
  }
  if (auto connection = check_connection(url.host, url.port); !connection) return connection;
  if (rules_.youtube_only && !covered(kYoutubePages, url.host)) {
    return refuse_domain(url.host, "only YouTube is");
  }
  if (!rules_.allowed_domains.empty() && !covered(rules_.allowed_domains, url.host)) {
    return refuse_domain(url.host, "the domain is not on the list of allowed ones");
  }
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(url.host, error);
  return error ? Result<void>() : check_address(address, url.port);
}

bool EgressPolicy::opens_this_machine() const {
  return rules_.allow_private_networks ||
         std::ranges::any_of(rules_.allow_addresses, [](const auto& e) { return e.network.is_loopback(); });
}

Result<void> EgressPolicy::check_connection(std::string_view host, std::uint16_t port) const {
  if (auto names = judge_names(host); !names) return names;
  if (means_this_machine(host) && !opens_this_machine()) {
    return fail(Errc::forbidden,
                fmt::format("connections to {} are not allowed: the name means this machine"
                            " (policy.allow_private_networks is off)",
                            host),
                "address_not_allowed");
  }
  const bool excepted = std::ranges::any_of(
      rules_.allow_addresses, [&](const auto& e) { return e.ports && e.ports->contains(port); });
  return excepted ? Result<void>() : judge_port(port);
}

Result<void> EgressPolicy::judge_port(std::uint16_t port) const {
  const bool service = std::ranges::binary_search(kServicePorts, port);
  const bool open = std::ranges::any_of(rules_.allowed_ports, [&](const PortRange& range) {
    return range.contains(port) && (!service || range.first == range.last);
  });
  if (open || (port != 0 && rules_.allow_private_networks)) return {};
  return fail(Errc::forbidden, fmt::format("connections to port {} are not allowed", port),
              "port_not_allowed");
}

// An exception has to name the half of an IPv4-in-IPv6 address that is not public.
const AddressException* EgressPolicy::exception_for(const boost::asio::ip::address& address,
                                                    std::uint16_t port) const {
  const auto carried = detail::find_carried(address);
  const bool inner = carried && detail::find_special_range(address) == detail::find_special_range(*carried);
  const auto& subject = inner ? *carried : address;
  const auto found = std::ranges::find_if(rules_.allow_addresses, [&](const AddressException& exception) {
    return exception.contains(subject) && (!exception.ports || exception.ports->contains(port));
  });
  return found == rules_.allow_addresses.end() ? nullptr : &*found;
}

Result<void> EgressPolicy::check_address(const boost::asio::ip::address& address, std::uint16_t port) const {
  if (address.is_loopback() && is_own_port(port)) return refuse_address(address, "it is this server itself");
  const auto* exception = exception_for(address, port);
  if (const auto* range = detail::find_special_range(address)) {
    const bool could_open = range->opening == detail::Opening::for_private_networks;
    const bool open = (could_open && rules_.allow_private_networks) ||
                      (exception && range->opening != detail::Opening::never);
    if (!open) {
      return refuse_address(address, fmt::format("it is not a public address ({}{})", range->name,
                                                 could_open ? "; policy.allow_private_networks is off" : ""));
    }
  }
  return exception && exception->ports ? Result<void>() : judge_port(port);
}

Result<void> EgressPolicy::check_peer(const boost::asio::ip::address& peer, std::uint16_t port,
                                      const boost::asio::ip::address& local) const {
  if (peer == local) {
    if (is_own_port(port)) return refuse_address(peer, "it is this server itself");
    if (!rules_.allow_private_networks && !exception_for(peer, port))
      return refuse_address(peer, "it is not a remote machine");
  }
  return check_address(peer, port);
}

}  // namespace trawl::net
