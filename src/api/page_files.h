#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"

namespace trawl::api {

struct PageFile {
  std::string media;  // "text/css; charset=utf-8"
  std::string bytes;
};

// A web page by the paths of its files; never without kFirstPage, unless it is empty.
using PageFiles = std::map<std::string, PageFile, std::less<>>;

inline constexpr std::string_view kFirstPage = "index.html";

// The page that is part of the program (web/).
[[nodiscard]] PageFiles built_in_page();

// The page in a folder: all its regular files, without those that begin with a dot and without what links
// lead to. Errc::invalid when there is no index.html in it, or more than 2,000 files or 64 MiB. Blocks.
[[nodiscard]] Result<PageFiles> read_page(const std::filesystem::path& folder);

}  // namespace trawl::api
