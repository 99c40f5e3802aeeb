#include "api/check_patterns.h"

#include <utility>

#include "api/cookie_views.h"
#include "api/key_views.h"
#include "downloads/selection.h"
#include "media/options.h"

namespace trawl::api {

std::string_view pattern_of(Schemas::Check check) {
  static constexpr std::pair<Schemas::Check, std::string_view> patterns[] = {
      {check_cookie_name, "^[A-Za-z0-9_-]*$"},
      {check_key_name, "^[A-Za-z0-9 _-]*$"},
      {downloads::check_date, "^(19|20|21)[0-9]{6}$"},
      {downloads::check_items, "^[0-9, -]+$"},
      {media::check_audio_quality, "^(96|128|192|256|320|best)$"},
      {media::check_custom_format, R"(^[A-Za-z0-9\[\]<>=!^$*~?:,/+()._' "-]+$)"},
      {media::check_http_url, R"(^\s*[Hh][Tt][Tt][Pp][Ss]?://[^/?#])"},
      {media::check_country, "^[A-Za-z]{2}$"},
      {media::check_impersonate, "^[a-z]+(-[a-z0-9._]+)?(:[a-z]+(-[a-z0-9._]+)?)?$"},
      {media::check_language, "^(all|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)$"},
      {check_path_template_field, R"(^[^/\\\x00-\x1f\x7f][^\\\x00-\x1f\x7f]*$)"}};
  for (const auto& [known, pattern] : patterns) {
    if (known == check) return pattern;
  }
  return {};
}

}  // namespace trawl::api
