#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/schema.h"
#include "http/contract.h"

namespace trawl::api {

// What DELETE says of a thing that is no more.
struct DeletedView {
  std::string id;
  std::string resource_type;  // cookies, file, link, subscription, api_key
  std::string status;
  std::string message;
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(DeletedView, (), (id, resource_type, status, message, timestamp))

// An empty text means that it is not known, which views show as null.
[[nodiscard]] inline std::optional<std::string> known(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// The contract of a route that takes nothing and shows a View.
template <class View>
[[nodiscard]] http::Contract shows(http::Refusals refusals = http::Refusals::none()) {
  return {.body = http::Body::none(),
          .query = http::Query::none(),
          .answers = http::Answers::json<View>(),
          .refusals = std::move(refusals)};
}

// That of a route about one thing.
template <class View>
[[nodiscard]] http::Contract shows_one() {
  return shows<View>(http::Refusals::of({{404, "not_found"}}));
}

// The moment of every example.
[[nodiscard]] inline SystemTime example_time(int seconds = 0) {
  return SystemTime(std::chrono::seconds(1'893'456'000 + seconds));
}

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::DeletedView> {
  static json::value make();
};
