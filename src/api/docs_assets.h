#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trawl::api {

// A file of the pages that show the API, part of the binary.
struct DocsAsset {
  std::string_view media;
  std::string_view bytes;
  bool gzipped = false;  // `bytes` are in gzip form.
};

// "swagger-ui.css"; nothing when there is no such file.
[[nodiscard]] std::optional<DocsAsset> docs_asset(std::string_view name);

// What an asset in gzip form holds.
[[nodiscard]] std::string unpacked(std::string_view gzip);

}  // namespace trawl::api
