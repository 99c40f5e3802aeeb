#include "server/policy.h"

#include <iostream>

#include <fmt/format.h>

#include "net/egress.h"
#include "server/egress_config.h"

namespace trawl::server {
namespace {

constexpr std::uint16_t kUnlessSaid = 443;

Result<void> judge(const net::EgressPolicy& policy, std::string_view subject) {
  if (subject.contains("://")) {
    const auto url = net::parse_url(subject);
    return url ? policy.judge_url(*url) : fail(url.error());
  }
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(subject), error);
  if (!error) return policy.judge_address(address, kUnlessSaid);
  const auto authority = net::parse_authority(subject);
  if (!authority) return fail(authority.error());
  const auto port = authority->port.value_or(kUnlessSaid);
  if (auto judged = policy.judge_connection(authority->host, port); !judged) return judged;
  const auto host = boost::asio::ip::make_address(authority->host, error);
  return error ? Result<void>() : policy.judge_address(host, port);
}

// True when it is allowed.
bool print_verdict(const net::EgressPolicy& policy, std::string_view subject) {
  const auto judged = judge(policy, subject);
  if (judged)
    std::cout << fmt::format("allowed\t{}\n", subject);
  else
    std::cout << fmt::format("{}\t{}\t{}\n", judged.error().reason, subject, judged.error().message);
  return judged.has_value();
}

}  // namespace

int policy(const cli::PolicyOptions& options, const PolicyConfig& config) {
  const net::EgressPolicy rules(egress_rules(config));
  bool all = true;
  for (const std::string& subject : options.subjects) {
    if (subject != "-") {
      all = print_verdict(rules, subject) && all;
      continue;
    }
    for (std::string line; std::getline(std::cin, line);) all = print_verdict(rules, line) && all;
  }
  std::cout << std::flush;
  return all ? cli::kExitDone : cli::kExitFailed;
}

}  // namespace trawl::server
