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

Result<void> fill_folder(const fs::path& folder, const fs::path& operators, const Look& look) {
  std::error_code error;
  fs::create_directory(folder, error);
  if (!error) fs::permissions(folder, kOnlyUs, error);
  if (error) return as_result_of(error, folder);
  if (look.cookies) return CookieFile::write(CookieFile::path(folder), *look.cookies);
  if (operators.empty()) return {};
  return CookieFile::provide(operators, CookieFile::path(folder), look.url);
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

Task<Result<fs::path>> Lister::make_folder(Look look) {
  const fs::path made = folder_ / random_hex(8), operators = limits_.cookies_file;
  const auto ready = co_await files_.run([&made, &operators, &look] {
    auto filled = fill_folder(made, operators, look);
    std::error_code ignored;
    if (!filled) fs::remove_all(made, ignored);
    return filled;
  });
  if (!ready) co_return fail(ready.error());
  co_return made;
}

Task<Result<void>> Lister::read(Look look, Reader reader) {
  co_return co_await with_child(std::move(look),
                                [this, &reader](engine::Child& child) { return read_pages(child, reader); });
}

Task<Result<media::Plan>> Lister::resolve(Look look) {
  media::Plan plan;
  const auto resolved =
      co_await with_child(std::move(look), [this, &plan](engine::Child& child) -> Task<Result<void>> {
        auto found = co_await child.resolve(limits_.page_timeout);
        if (!found) co_return fail(found.error());
        plan = std::move(*found);
        co_return Result<void>();
      });
  if (!resolved) co_return fail(resolved.error());
  co_return plan;
}

Task<Result<void>> Lister::with_child(Look look, Work work) {
  if (auto admitted = co_await net::admit_url(policy_, look.url); !admitted) co_return fail(admitted.error());
  const auto turn = co_await listing_.acquire();
  const auto folder = co_await make_folder(look);

  Result<void> done;
  if (folder) {
    const auto upstream = upstreams_.choose(net::site_of(look.url), std::chrono::steady_clock::now());
    const auto pass = proxy_.admit({.max_bytes = kMaxTraffic, .upstream = upstream});
    engine::Request request;
    request.url = std::move(look.url);
    request.proxy = pass->proxy_url();
    request.pot_provider = pass->service_url();
    request.work_dir = folder->string();
    request.write_info_json = true;  // Nothing is written here; it keeps the choices in what is resolved.
    if (look.cookies || !limits_.cookies_file.empty())
      request.cookies_file = CookieFile::path(*folder).string();
    auto child = co_await engine_.open(std::move(request), {}, std::nullopt, false);
    done = child ? co_await work(**child) : fail(child.error());
    // What we refused says more than how yt-dlp suffered from it.
    if (const auto refused = done ? std::nullopt : pass->refusal()) done = fail(*refused);
  } else {
    done = fail(folder.error());
  }
  co_await files_.run([&folder] {
    std::error_code ignored;
    if (folder) fs::remove_all(*folder, ignored);
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
