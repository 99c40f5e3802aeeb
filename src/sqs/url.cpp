#include "sqs/url.h"

#include <boost/url/parse.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace trawl::sqs {
namespace {

// "eu-west-1" of "sqs.eu-west-1.amazonaws.com".
std::string region_of(std::string_view host) {
  const auto labels = split(host, '.');
  return labels.size() >= 4 && labels[0] == "sqs" && labels[2] == "amazonaws" ? std::string(labels[1]) : "";
}

}  // namespace

Result<Queue> parse_url(std::string_view text) {
  const auto bad = [](std::string_view why) {
    return fail(Errc::invalid, fmt::format("the address of the queue {}", why));
  };
  const auto url = boost::urls::parse_uri(text);
  if (!url || (url->scheme() != "sqs" && url->scheme() != "sqs+http")) return bad("must begin with sqs://");
  if (url->has_userinfo())
    return bad("must not hold the keys: they are broker.access_key and broker.secret_key");
  if (url->host().empty() || url->segments().size() != 2 || url->has_fragment())
    return bad("must be such as sqs://sqs.eu-west-1.amazonaws.com/123456789012/trawl");
  Queue out;
  const auto authority = url->encoded_authority();
  out.endpoint = fmt::format("{}://{}/", url->scheme() == "sqs" ? "https" : "http",
                             std::string_view(authority.data(), authority.size()));
  const std::string path = url->path();
  out.url = out.endpoint + path.substr(1);
  const auto region = url->params().find("region");
  out.region = region != url->params().end() ? std::string((*region).value) : region_of(url->host());
  if (out.region.empty()) return bad("must say its region: ?region=eu-west-1");
  return out;
}

}  // namespace trawl::sqs
