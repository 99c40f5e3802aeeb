#include "redis/url.h"

#include <boost/url/parse.hpp>

namespace trawl::redis {

Result<Address> parse_url(std::string_view text) {
  const auto bad = [](const char* why) {
    return fail(Errc::invalid, std::string("the address of Redis ") + why);
  };
  const auto url = boost::urls::parse_uri(text);
  if (!url || url->scheme() != "redis") return bad("must begin with redis://");
  if (url->host().empty()) return bad("must name a host");
  if (url->has_query() || url->has_fragment()) return bad("must not have options");
  Address out{.host = url->host_address(), .user = url->user(), .password = url->password()};
  if (url->has_port() && !url->port().empty()) out.port = url->port_number();
  if (out.port == 0) return bad("must have a port between 1 and 65535");
  const std::string path = url->path();
  if (path.empty() || path == "/") return out;
  if (path.size() > 4 || path.find_first_not_of("0123456789", 1) != std::string::npos)
    return bad("may only be followed by the number of a database, as in redis://host/0");
  out.database = std::stoi(path.substr(1));
  return out;
}

}  // namespace trawl::redis
