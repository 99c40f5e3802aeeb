#pragma once

#include "api/medium_views.h"
#include "downloads/looks.h"
#include "http/router.h"
#include "net/egress.h"

namespace trawl::api {

struct ValidateBody {
  std::string url;
  std::optional<std::string> cookies_id;
  bool inspect = true;
};
BOOST_DESCRIBE_STRUCT(ValidateBody, (), (url, cookies_id, inspect))

struct ValidateView {
  std::string url;
  bool valid = false;
  std::optional<std::string> content_type;  // video, playlist, channel, live, shorts
  std::optional<std::string> title, extractor, error, error_code;
};
BOOST_DESCRIBE_STRUCT(ValidateView, (), (url, valid, content_type, title, extractor, error, error_code))

// What is at a URL, before anything is downloaded.
class PreviewRoutes {
 public:
  struct Options {
    bool public_info = false;  // GET /info needs no key.
  };
  PreviewRoutes(downloads::Looks& looks, const net::EgressPolicy& policy, const Clock& clock, Options options)
      : looks_(looks), policy_(policy), clock_(clock), options_(options) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> playlist(http::Request request);
  Task<http::Response> channel(http::Request request);
  Task<http::Response> formats(http::Request request);
  Task<http::Response> metadata(http::Request request);
  Task<http::Response> info(http::Request request);
  Task<http::Response> validate_body(http::Request request);
  Task<http::Response> validate_query(http::Request request);
  Task<http::Response> validate(http::Request request, ValidateBody wanted);
  // A medium, or the page of a playlist that the rest asks for.
  Task<Result<MetadataView>> look(std::string url, downloads::Viewer viewer, downloads::Selection selection,
                                  PageRequest paging);

  downloads::Looks& looks_;
  const net::EgressPolicy& policy_;
  const Clock& clock_;
  Options options_;
};

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::ValidateBody> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::ValidateView> {
  static json::value make();
};
template <>
struct trawl::Rules<trawl::api::ValidateBody> {
  static constexpr FieldRule fields[] = {
      {.name = "url", .doc = "What is to be looked at.", .max = 8000, .required = true},
      {.name = "cookies_id", .doc = "Stored cookies to look with.", .max = 64, .alias = "cookies"},
      {.name = "inspect", .doc = "Also ask the site what is there; otherwise only the rules are."}};
};
