#include "http/detail/request_target.h"

#include "http/detail/field_value.h"

namespace trawl::http::detail {
namespace {

// "http://host:80/path?x" becomes "/path?x"; other text stays as it is.
std::string without_authority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_token(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const auto end = target.find_first_of("/?");
    if (end == 0) return {};
    if (end == std::string_view::npos) return "/";
    return (target[end] == '?' ? "/" : "") + std::string(target.substr(end));
  }
  return std::string(target);
}

}  // namespace

Result<RequestTarget> parse_target(std::string_view method, std::string_view target) {
  if (target == "*" && method == "OPTIONS") return RequestTarget{.path = "*", .query = {}};
  const std::string local = without_authority(target);
  if (!local.starts_with('/')) return fail(Errc::invalid, "the request target is not a path");
  if (local.contains('#')) return fail(Errc::invalid, "the request target has a fragment");
  const auto mark = local.find('?');
  if (mark == std::string::npos) return RequestTarget{.path = local, .query = {}};
  return RequestTarget{.path = local.substr(0, mark), .query = local.substr(mark + 1)};
}

}  // namespace trawl::http::detail
