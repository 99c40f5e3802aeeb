#include "downloads/content.h"

#include <algorithm>
#include <fstream>
#include <magic.h>
#include <memory>
#include <span>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::downloads {
namespace {

using media::Kind;

// A content and the extensions it goes by, the usual one first.
struct Content {
  std::string_view mime_type;
  std::string_view extensions;
};

constexpr std::string_view kMp4 = "mp4 m4v m4a m4b m4p f4v f4a mov qt 3gp 3g2 alac";
constexpr std::string_view kOgg = "ogg oga ogv opus spx vorbis";
constexpr std::string_view kMatroska = "mkv mka mk3d webm weba";

constexpr Content kMedia[] = {{"video/mp4", kMp4},
                              {"audio/mp4", kMp4},
                              {"video/quicktime", kMp4},
                              {"audio/x-m4a", kMp4},
                              {"video/x-m4v", kMp4},
                              {"video/3gpp", kMp4},
                              {"video/3gpp2", kMp4},
                              {"video/webm", "webm weba mkv mka"},
                              {"video/x-matroska", kMatroska},
                              {"audio/x-matroska", kMatroska},
                              {"audio/mpeg", "mp3 mp2 mpga"},
                              {"audio/ogg", kOgg},
                              {"video/ogg", kOgg},
                              {"application/ogg", kOgg},
                              {"audio/flac", "flac"},
                              {"audio/x-wav", "wav"},
                              {"audio/vnd.wave", "wav"},
                              {"audio/x-aiff", "aiff aif"},
                              {"audio/x-hx-aac-adts", "aac"},
                              {"audio/aac", "aac"},
                              {"audio/ac3", "ac3"},
                              {"video/x-flv", "flv f4v"},
                              {"video/x-msvideo", "avi divx"},
                              {"video/mp2t", "ts m2ts"},
                              {"video/mpeg", "mpg mpeg"},
                              {"video/x-ms-asf", "asf wmv wma"},
                              {"image/gif", "gif"}};
constexpr Content kImages[] = {{"image/jpeg", "jpg jpeg jfif"},
                               {"image/png", "png"},
                               {"image/webp", "webp"},
                               {"image/gif", "gif"},
                               {"image/avif", "avif"},
                               {"image/heic", "heic"},
                               {"image/bmp", "bmp"},
                               {"image/x-ms-bmp", "bmp"},
                               {"image/tiff", "tiff tif"},
                               {"image/jxl", "jxl"}};
// What starts something, or holds such, when it is opened. Media of formats that have no mark of their own
// can look like anything else.
constexpr std::string_view kNoMedia[] = {"application/x-dosexec",
                                         "application/vnd.microsoft.portable-executable",
                                         "application/x-executable",
                                         "application/x-pie-executable",
                                         "application/x-sharedlib",
                                         "application/x-mach-binary",
                                         "application/x-object",
                                         "application/java-archive",
                                         "application/x-java-applet",
                                         "application/zip",
                                         "application/x-7z-compressed",
                                         "application/x-rar",
                                         "application/gzip",
                                         "application/x-xz",
                                         "application/x-tar",
                                         "application/x-msi",
                                         "application/x-ole-storage",
                                         "application/x-mswinurl",
                                         "application/x-ms-shortcut",
                                         "application/x-wine-extension-ini",
                                         "application/vnd.debian.binary-package",
                                         "application/x-rpm",
                                         "application/x-iso9660-image",
                                         "application/x-bytecode.python",
                                         "application/x-shockwave-flash",
                                         "application/javascript",
                                         "application/json",
                                         "application/pdf",
                                         "image/svg+xml",
                                         "inode/x-empty",
                                         "inode/symlink"};
// Of text only what it is not can be told.
constexpr std::string_view kPrograms[] = {"text/html",   "text/x-shellscript", "text/x-msdos-batch",
                                          "text/x-php",  "text/x-python",      "text/x-script.python",
                                          "text/x-perl", "text/x-ruby",        "text/x-lua",
                                          "text/x-tcl",  "text/javascript"};

bool has(std::string_view extensions, std::string_view extension) {
  const auto known = split(extensions, ' ');
  return std::ranges::find(known, extension) != known.end();
}

std::unexpected<Error> refuse(std::string_view extension, std::string_view mime_type) {
  return fail(Errc::forbidden, fmt::format("a file that calls itself .{} holds {}", extension, mime_type),
              "unsafe_content");
}

bool is_one_of(std::span<const std::string_view> types, std::string_view mime_type) {
  return std::ranges::find(types, mime_type) != types.end();
}

std::string match(const Content& content, std::string_view extension) {
  return std::string(has(content.extensions, extension) ? extension : split(content.extensions, ' ').front());
}

Result<std::string> match_media(std::string_view extension, std::string_view mime_type) {
  const auto known = std::ranges::find(kMedia, mime_type, &Content::mime_type);
  if (known != std::end(kMedia)) return match(*known, extension);
  if (mime_type.starts_with("text/") || is_one_of(kNoMedia, mime_type)) return refuse(extension, mime_type);
  return std::string(extension);
}

Result<std::string> match_image(std::string_view extension, std::string_view mime_type) {
  const auto known = std::ranges::find(kImages, mime_type, &Content::mime_type);
  if (known == std::end(kImages)) return refuse(extension, mime_type);
  return match(*known, extension);
}

Result<std::string> match_text(std::string_view extension, std::string_view mime_type) {
  const bool text = mime_type.starts_with("text/") || mime_type == "application/json" ||
                    mime_type == "application/xml" || mime_type == "application/x-subrip";
  const bool sami = mime_type == "text/html" && (extension == "sami" || extension == "smi");
  if (text && (sami || !is_one_of(kPrograms, mime_type))) return std::string(extension);
  return refuse(extension, mime_type);
}

struct CloseMagic {
  void operator()(magic_set* cookie) const { ::magic_close(cookie); }
};
using Magic = std::unique_ptr<magic_set, CloseMagic>;

Magic open_magic() {
  Magic cookie(::magic_open(MAGIC_MIME_TYPE | MAGIC_ERROR | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR));
  if (cookie && ::magic_load(cookie.get(), nullptr) != 0) cookie.reset();
  return cookie;
}

bool begins_with(const std::filesystem::path& file, std::string_view mark) {
  std::string head(mark.size(), '\0');
  std::ifstream in(file, std::ios::binary);
  return in.read(head.data(), static_cast<std::streamsize>(head.size())) && head == mark;
}

}  // namespace

Result<std::string> sniff(const std::filesystem::path& file) {
  thread_local const Magic cookie = open_magic();  // Loading takes longer than looking.
  if (!cookie) return fail(Errc::internal, "the magic database cannot be read; install libmagic", "no_magic");
  if (const char* found = ::magic_file(cookie.get(), file.c_str())) {
    // The old programs without a header are told by a jump at their beginning, which is one of a hundred
    // beginnings of anything.
    const bool unmarked = std::string_view(found) == "application/x-dosexec" && !begins_with(file, "MZ");
    return unmarked ? "application/octet-stream" : found;
  }
  const char* why = ::magic_error(cookie.get());
  return fail(Errc::internal,
              fmt::format("cannot look into {}: {}", file.filename().string(), why ? why : "?"));
}

Result<std::string> fitting_extension(Kind kind, std::string_view extension, std::string_view mime_type) {
  switch (kind) {
    case Kind::video:
    case Kind::audio:
    case Kind::chapter:
      return match_media(extension, mime_type);
    case Kind::thumbnail:
      return match_image(extension, mime_type);
    default:
      return match_text(extension, mime_type);
  }
}

Result<media::Produced> publishable(media::Produced file, const std::filesystem::path& folder) {
  const std::filesystem::path name = file.name;
  const std::string dotted = name.extension().string();
  const auto mime_type = sniff(folder / name);
  if (!mime_type) return fail(mime_type.error());
  const auto extension = fitting_extension(file.kind, dotted.empty() ? "" : dotted.substr(1), *mime_type);
  if (!extension) return fail(extension.error());
  if (dotted == "." + *extension) return file;
  file.name = fmt::format("{}.{}", name.stem().string(), *extension);
  if (std::filesystem::exists(folder / file.name))
    return fail(Errc::internal, fmt::format("there is another {} already", file.name), "engine_error");
  std::error_code error;
  std::filesystem::rename(folder / name, folder / file.name, error);
  if (error) return fail(Errc::internal, fmt::format("cannot rename {}: {}", name.string(), error.message()));
  return file;
}

Result<Publishable> publishable(std::vector<media::Produced> files, const std::filesystem::path& folder) {
  Publishable out;
  for (const media::Produced& file : files) {
    auto checked = publishable(file, folder);
    const bool medium = file.kind == Kind::video || file.kind == Kind::audio;
    if (checked)
      out.files.push_back(std::move(*checked));
    else if (medium)
      return fail(checked.error());
    else
      out.left_out.push_back(
          fmt::format("{} is left out ({}): {}", file.name, checked.error().reason, checked.error().message));
  }
  return out;
}

}  // namespace trawl::downloads
