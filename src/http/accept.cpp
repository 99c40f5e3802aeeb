#include "http/accept.h"

#include "base/text.h"
#include "http/detail/field_value.h"

namespace trawl::http {
namespace {

using detail::same_token;

// "0", "0.", "0.0", "0.00" and "0.000".
bool zero_weight(std::string_view parameter) {
  const auto equals = parameter.find('=');
  if (equals == std::string_view::npos || !same_token(trim(parameter.substr(0, equals)), "q")) return false;
  const std::string_view q = trim(parameter.substr(equals + 1));
  return !q.empty() && q.front() == '0' && q.find_first_not_of("0.") == std::string_view::npos;
}

// One of a list: what it names, and whether it is refused.
struct Choice {
  std::string_view name;
  bool refused = false;
};

Choice choice(std::string_view item) {
  Choice out{.name = trim(item.substr(0, item.find(';')))};
  for (auto at = item.find(';'); at != std::string_view::npos; at = item.find(';', at + 1)) {
    const std::string_view parameter = item.substr(at + 1);
    out.refused |= zero_weight(parameter.substr(0, parameter.find(';')));
  }
  return out;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  for (const std::string_view item : split(accept_encoding, ',')) {
    const Choice coding = choice(item);
    if (same_token(coding.name, "gzip") || same_token(coding.name, "x-gzip")) return !coding.refused;
    if (coding.name == "*") any = !coding.refused;
  }
  return any;
}

bool asks_for(std::string_view accept, std::string_view media) {
  for (const std::string_view item : split(accept, ',')) {
    const Choice range = choice(item);
    if (same_token(range.name, media)) return !range.refused;
  }
  return false;
}

}  // namespace trawl::http
