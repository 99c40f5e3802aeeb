#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/common_views.h"
#include "base/describe.h"
#include "base/json.h"

namespace trawl::api {

// Body of POST /links.
struct NewLinkBody {
  std::string path;
  int expires_in = 900;
};
BOOST_DESCRIBE_STRUCT(NewLinkBody, (), (path, expires_in))

// `path` and `url` are told only when the link is made: afterwards nobody can read it off the server.
struct LinkView {
  std::string id;
  std::optional<std::string> path = {};
  std::string artifact_id;
  std::optional<std::string> url = {};
  std::string method;
  SystemTime expires_at;
};
BOOST_DESCRIBE_STRUCT(LinkView, (), (id, path, artifact_id, url, method, expires_at))

struct LinkListView {
  std::vector<LinkView> links;
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(LinkListView, (), (links, total))

}  // namespace trawl::api

template <>
struct trawl::Rules<trawl::api::NewLinkBody> {
  static constexpr FieldRule fields[] = {{.name = "path",
                                          .doc = "The file's `file_path`.",
                                          .min = 1,
                                          .max = 1024,
                                          .required = true,
                                          .example = "\"videos/Title-1.mp4\""},
                                         {.name = "expires_in",
                                          .doc = "Seconds until the link ends.",
                                          .min = 1,
                                          .max = 86'400,
                                          .example = "900"}};
};
template <>
struct trawl::Example<trawl::api::NewLinkBody> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::LinkView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::LinkListView> {
  static json::value make();
};
