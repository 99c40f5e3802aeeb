#include "downloads/lister.h"

#include <fmt/format.h>

#include "base/id.h"
#include "downloads/cookie_file.h"
#include "net/admission.h"

namespace trawl::downloads {
namespace {

namespace fs = std::filesystem;

constexpr auto kOnlyUs = fs::perms::owner_all;
constexpr std::uint64_t kMaxTraffic = 1 << 30;

Result<void> as_result_of(std::error_code error, const fs::path& folder) {
  if (!error) return {};
  return fail(Errc::unavailable, fmt::format("cannot use {}: {}", folder.string(), error.message()));
}

}  // namespace

Task<Result<void>> Lister::open() {
  co_return co_await files_.run([this] {
    std::error_code error;
    fs::remove_all(folder_, error);  // What a crash left.
    if (!error) fs::create_directories(folder_, error);
    if (!error) fs::permissions(folder_, kOnlyUs, error);
    return as_result_of(error, folder_);
  });
}

Task<Result<fs::path>> Lister::make_folder(std::string url) {
  const fs::path made = folder_ / random_hex(8), cookies = limits_.cookies_file;
  const auto ready = co_await files_.run([made, cookies, url]() -> Result<void> {
    std::error_code error;
    fs::create_directory(made, error);
    if (!error) fs::permissions(made, kOnlyUs, error);
    if (error || cookies.empty()) return as_result_of(error, made);
    return CookieFile::provide(cookies, CookieFile::path(made), url);
  });
  if (!ready) co_return fail(ready.error());
  co_return made;
}

Task<Result<void>> Lister::read(std::string url, Reader reader) {
  if (auto admitted = co_await net::admit_url(policy_, url); !admitted) co_return fail(admitted.error());
  const auto turn = co_await listing_.acquire();
  const auto folder = co_await make_folder(url);
  if (!folder) co_return fail(folder.error());

  Result<void> done;
  {
    const auto upstream = upstreams_.choose(net::site_of(url), std::chrono::steady_clock::now());
    const auto pass = proxy_.admit({.max_bytes = kMaxTraffic, .upstream = upstream});
    engine::Request request;
    request.url = std::move(url);
    request.proxy = pass->proxy_url();
    request.work_dir = folder->string();
    if (!limits_.cookies_file.empty()) request.cookies_file = CookieFile::path(*folder).string();
    auto child = co_await engine_.open(std::move(request), {}, std::nullopt, false);
    done = child ? co_await read_pages(**child, reader) : fail(child.error());
    // What we refused says more than how yt-dlp suffered from it.
    if (const auto refused = done ? std::nullopt : pass->refusal()) done = fail(*refused);
  }
  co_await files_.run([&folder] {
    std::error_code ignored;
    fs::remove_all(*folder, ignored);
  });
  co_return done;
}

Task<Result<void>> Lister::read_pages(engine::Child& child, const Reader& reader) {
  std::int64_t left = limits_.max_entries;
  while (true) {
    auto page = co_await child.list(limits_.page, limits_.page_timeout);
    if (!page) co_return fail(page.error());
    if (std::ssize(page->entries) >= left) {
      page->entries.resize(static_cast<std::size_t>(left));
      page->last = true;
    }
    left -= std::ssize(page->entries);
    const bool last = page->last;
    const auto more = co_await reader(std::move(*page));
    if (!more) co_return fail(more.error());
    if (last || !*more) co_return Result<void>();
  }
}

}  // namespace trawl::downloads
