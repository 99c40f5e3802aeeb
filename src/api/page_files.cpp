#include "api/page_files.h"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "api/embed.h"
#include "http/static_file.h"

TRAWL_EMBED(trawl_web_index, TRAWL_WEB "/index.html");
TRAWL_EMBED(trawl_web_page_js, TRAWL_WEB "/page.js");
TRAWL_EMBED(trawl_web_api_js, TRAWL_WEB "/api.js");
TRAWL_EMBED(trawl_web_live_js, TRAWL_WEB "/live.js");
TRAWL_EMBED(trawl_web_job_js, TRAWL_WEB "/job.js");
TRAWL_EMBED(trawl_web_batch_js, TRAWL_WEB "/batch.js");
TRAWL_EMBED(trawl_web_css, TRAWL_WEB "/page.css");
TRAWL_EMBED(trawl_web_icon, TRAWL_WEB "/icon.svg");

namespace trawl::api {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 2'000;
constexpr std::uintmax_t kMostBytes = 64U << 20;

PageFile page_file(std::string_view name, std::string bytes) {
  return {.media = http::mime_type_of(name), .bytes = std::move(bytes)};
}

Error refused(const fs::path& folder, std::string_view why) {
  return {.code = Errc::invalid, .message = fmt::format("ui.static_dir: {} {}", folder.string(), why)};
}

Result<std::string> bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad()) return fail(refused(path, "cannot be read"));
  return bytes;
}

}  // namespace

PageFiles built_in_page() {
  PageFiles out;
  for (const auto& [name, bytes] : {std::pair{kFirstPage, TRAWL_EMBEDDED(trawl_web_index)},
                                    {"page.js", TRAWL_EMBEDDED(trawl_web_page_js)},
                                    {"api.js", TRAWL_EMBEDDED(trawl_web_api_js)},
                                    {"live.js", TRAWL_EMBEDDED(trawl_web_live_js)},
                                    {"job.js", TRAWL_EMBEDDED(trawl_web_job_js)},
                                    {"batch.js", TRAWL_EMBEDDED(trawl_web_batch_js)},
                                    {"page.css", TRAWL_EMBEDDED(trawl_web_css)},
                                    {"icon.svg", TRAWL_EMBEDDED(trawl_web_icon)}})
    out.emplace(name, page_file(name, std::string(bytes)));
  return out;
}

Result<PageFiles> read_page(const fs::path& folder) {
  PageFiles out;
  std::uintmax_t total = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    const bool hidden = at->path().filename().string().starts_with('.');
    if (hidden && at->is_directory()) at.disable_recursion_pending();
    if (hidden || at->is_symlink() || !at->is_regular_file()) continue;
    const std::uintmax_t size = at->file_size(failed);
    total += failed ? 0 : size;
    if (out.size() == kMostFiles || total > kMostBytes)
      return fail(refused(folder, "has more than 2,000 files or 64 MiB"));
    auto bytes = bytes_of(at->path());
    if (!bytes) return fail(bytes.error());
    const std::string name = at->path().lexically_relative(folder).generic_string();
    out.emplace(name, page_file(name, std::move(*bytes)));
  }
  if (failed) return fail(refused(folder, fmt::format("cannot be read: {}", failed.message())));
  if (!out.contains(kFirstPage)) return fail(refused(folder, "has no index.html"));
  return out;
}

}  // namespace trawl::api
