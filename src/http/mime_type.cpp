#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "http/static_file.h"

namespace trawl::http {
namespace {

using Entry = std::pair<std::string_view, std::string_view>;

constexpr auto kTypes = std::to_array<Entry>({
    {".3gp", "video/3gpp"},
    {".7z", "application/x-7z-compressed"},
    {".aac", "audio/aac"},
    {".aif", "audio/aiff"},
    {".aiff", "audio/aiff"},
    {".ass", "text/x-ssa"},
    {".avi", "video/x-msvideo"},
    {".avif", "image/avif"},
    {".bmp", "image/bmp"},
    {".css", "text/css; charset=utf-8"},
    {".csv", "text/csv; charset=utf-8"},
    {".description", "text/plain; charset=utf-8"},
    {".flac", "audio/flac"},
    {".flv", "video/x-flv"},
    {".gif", "image/gif"},
    {".gz", "application/gzip"},
    {".htm", "text/html; charset=utf-8"},
    {".html", "text/html; charset=utf-8"},
    {".ico", "image/x-icon"},
    {".jpeg", "image/jpeg"},
    {".jpg", "image/jpeg"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".json3", "application/json"},
    {".log", "text/plain; charset=utf-8"},
    {".lrc", "text/plain; charset=utf-8"},
    {".m3u", "audio/x-mpegurl"},
    {".m3u8", "application/vnd.apple.mpegurl"},
    {".m4a", "audio/mp4"},
    {".m4s", "video/iso.segment"},
    {".m4v", "video/x-m4v"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".mka", "audio/x-matroska"},
    {".mkv", "video/x-matroska"},
    {".mov", "video/quicktime"},
    {".mp3", "audio/mpeg"},
    {".mp4", "video/mp4"},
    {".mpd", "application/dash+xml"},
    {".mpeg", "video/mpeg"},
    {".mpg", "video/mpeg"},
    {".nfo", "text/plain; charset=utf-8"},
    {".oga", "audio/ogg"},
    {".ogg", "audio/ogg"},
    {".ogv", "video/ogg"},
    {".opus", "audio/ogg"},
    {".pdf", "application/pdf"},
    {".png", "image/png"},
    {".srt", "application/x-subrip"},
    {".srv3", "application/xml"},
    {".ssa", "text/x-ssa"},
    {".svg", "image/svg+xml"},
    {".ts", "video/mp2t"},
    {".ttml", "application/ttml+xml"},
    {".txt", "text/plain; charset=utf-8"},
    {".vorbis", "audio/ogg"},
    {".vtt", "text/vtt; charset=utf-8"},
    {".wasm", "application/wasm"},
    {".wav", "audio/wav"},
    {".weba", "audio/webm"},
    {".webm", "video/webm"},
    {".webp", "image/webp"},
    {".wma", "audio/x-ms-wma"},
    {".wmv", "video/x-ms-wmv"},
    {".woff", "font/woff"},
    {".woff2", "font/woff2"},
    {".xml", "application/xml"},
    {".yaml", "application/yaml"},
    {".yml", "application/yaml"},
    {".zip", "application/zip"},
});
static_assert(std::ranges::is_sorted(kTypes, {}, &Entry::first));

}  // namespace

std::string mime_type_of(const std::filesystem::path& name) {
  const std::string extension = to_lower(name.extension().string());
  const auto* found =
      std::ranges::lower_bound(kTypes, extension, {}, [](const Entry& entry) { return entry.first; });
  if (found == kTypes.end() || found->first != extension) return "application/octet-stream";
  return std::string(found->second);
}

}  // namespace trawl::http
