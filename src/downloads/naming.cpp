#include "downloads/naming.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "http/static_file.h"
#include "media/path_template.h"

namespace trawl::downloads {
namespace {

using media::Kind;

std::string text_of(const json::object& info, std::string_view name) {
  const json::value* value = info.if_contains(name);
  if (!value) return "";
  if (const auto* text = value->if_string()) return std::string(*text);
  if (const auto* number = value->if_int64()) return std::to_string(*number);
  return "";
}

std::string extension_of(const std::string& name) {
  const std::string dotted = std::filesystem::path(name).extension().string();
  return dotted.empty() ? "" : dotted.substr(1);
}

media::TemplateValues template_values(const media::Plan& plan, SystemTime now, std::string random,
                                      const std::string& batch) {
  media::TemplateValues values;
  for (const char* name :
       {"uploader", "upload_date", "channel", "channel_id", "playlist", "playlist_index", "height"}) {
    values[name] = text_of(plan.info, name);
  }
  values["title"] = plan.title;
  values["id"] = plan.id;
  values["extractor"] = plan.extractor;
  values["date"] = values["upload_date"];
  values["today"] = to_iso8601(now).substr(0, 10);
  values["random"] = std::move(random);
  values["batch_id"] = batch;
  for (const char* other : {"channel", "playlist_uploader", "playlist"}) {
    if (values["uploader"].empty()) values["uploader"] = text_of(plan.info, other);
  }
  return values;
}

// What tells a file of the work folder from others of its kind: "media.WHICH.jpg"; may be empty.
std::string particular_of(const std::string& name) {
  const std::string stem = std::filesystem::path(name).stem().string();
  const auto dot = stem.find('.');
  return dot == std::string::npos ? "" : stem.substr(dot + 1);
}

bool is_media(const media::Produced& file) {
  return file.kind == Kind::video || file.kind == Kind::audio;
}

// What follows the medium's name for a file that accompanies it.
std::string suffix_of(const media::Produced& file) {
  const std::string extension = extension_of(file.name);
  switch (file.kind) {
    case Kind::info:
      return ".info.json";
    case Kind::description:
      return ".description";
    case Kind::nfo:
      return ".nfo";
    case Kind::chapter:
      return fmt::format(" - {}.{}", media::safe_segment(particular_of(file.name)), extension);
    case Kind::thumbnail: {
      const std::string which = particular_of(file.name);
      return which.empty() ? "." + extension : fmt::format(".{}.{}", media::safe_segment(which), extension);
    }
    case Kind::subtitle:
    case Kind::transcript:
      return file.language.empty() ? "." + extension
                                   : fmt::format(".{}.{}", media::safe_segment(file.language), extension);
    default:
      return "." + extension;
  }
}

// What the download is about: the medium, or the text where only that was wanted.
std::vector<media::Produced>::const_iterator main_file(const media::DownloadOptions& options,
                                                       const std::vector<media::Produced>& produced) {
  const auto medium = std::ranges::find_if(produced, is_media);
  if (medium != produced.end() || !options.transcript_only) return medium;
  const auto transcript = std::ranges::find(produced, Kind::transcript, &media::Produced::kind);
  return transcript != produced.end() ? transcript : produced.begin();
}

}  // namespace

Result<std::vector<storage::Staged>> name_files(const media::DownloadOptions& options,
                                                const media::Plan& plan,
                                                const std::vector<media::Produced>& produced, SystemTime now,
                                                std::string random, const std::string& batch) {
  const auto principal = main_file(options, produced);
  if (principal == produced.end())
    return fail(Errc::internal, "the download produced no media file", "no_media");

  media::TemplateValues values = template_values(plan, now, std::move(random), batch);
  values["ext"] = extension_of(principal->name);
  const auto path = media::expand_path_template(
      options.path_template.value_or(std::string(media::kDefaultTemplate)), values);
  if (!path) return fail(path.error());
  const std::string stem = path->substr(0, path->size() - extension_of(*path).size() - 1);

  const auto stage = [](const media::Produced& file, const std::string& name) {
    return storage::Staged{.name = file.name,
                           .path = name,
                           .kind = file.kind,
                           .language = file.language,
                           .mime_type = http::mime_type_of(name)};
  };
  std::vector<storage::Staged> staged{
      stage(*principal, is_media(*principal) ? *path : stem + suffix_of(*principal))};
  for (const media::Produced& file : produced) {
    if (&file != &*principal) staged.push_back(stage(file, stem + suffix_of(file)));
  }
  return staged;
}

}  // namespace trawl::downloads
