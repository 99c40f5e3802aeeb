#include "downloads/looks.h"

#include <fmt/format.h>

namespace trawl::downloads {

Task<Result<json::value>> Looks::look(std::string what, std::string url, Viewer viewer, Ask ask) {
  std::string key = what + '\n' + url;
  if (viewer.cookies_id) {
    // Before the cache is asked: cookies may have been deleted, and were never somebody else's.
    if (auto usable = co_await cookies_.check_usable(*viewer.cookies_id, viewer.owner); !usable)
      co_return fail(usable.error());
    key += '\n' + *viewer.cookies_id + '\n' + viewer.owner;
  }
  const auto found = co_await cache_.get(std::move(key), [&]() -> Task<Result<std::string>> {
    Look asked{.url = url};
    if (viewer.cookies_id) {
      auto text = co_await cookies_.netscape(*viewer.cookies_id, viewer.owner);
      if (!text) co_return fail(text.error());
      asked.cookies = std::move(*text);
    }
    co_return co_await ask(std::move(asked));
  });
  if (!found) co_return fail(found.error());
  boost::system::error_code error;
  json::value value = json::parse(**found, error);
  if (error) co_return fail(Errc::internal, "what was remembered of a site is damaged");
  co_return value;
}

Task<Result<Preview>> Looks::preview(std::string url, Viewer viewer, Selection selection, std::int64_t offset,
                                     std::int64_t size) {
  std::string what = fmt::format("preview {} {} {}", offset, size, json::serialize(encode(selection)));
  const Ask ask = [&](Look asked) -> Task<Result<std::string>> {
    const auto found = co_await downloads::preview(lister_, std::move(asked), selection, offset, size);
    if (!found) co_return fail(found.error());
    co_return json::serialize(encode(*found));
  };
  const auto value = co_await look(std::move(what), std::move(url), std::move(viewer), ask);
  if (!value) co_return fail(value.error());
  co_return decode_own<Preview>(*value, "preview");
}

Task<Result<Medium>> Looks::medium(std::string url, Viewer viewer) {
  const Ask ask = [&](Look asked) -> Task<Result<std::string>> {
    const auto plan = co_await lister_.resolve(std::move(asked));
    if (!plan) co_return fail(plan.error());
    co_return json::serialize(encode(medium_of(*plan)));
  };
  const auto value = co_await look("medium", std::move(url), std::move(viewer), ask);
  if (!value) co_return fail(value.error());
  co_return decode_own<Medium>(*value, "medium");
}

}  // namespace trawl::downloads
