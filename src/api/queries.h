#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "access/scopes.h"
#include "base/describe.h"
#include "base/log.h"
#include "http/contract.h"
#include "webhooks/delivery.h"

namespace trawl::api {

// The query parameters of routes, described for the API's description.

// read_paging()
struct PagingQuery {
  std::optional<std::int64_t> page, page_size, per_page, limit, offset, skip;
};
BOOST_DESCRIBE_STRUCT(PagingQuery, (), (page, page_size, per_page, limit, offset, skip))

// The children that the answer about a batch lists.
struct ChildrenQuery {
  std::int64_t page = 1, page_size = 100;
};
BOOST_DESCRIBE_STRUCT(ChildrenQuery, (), (page, page_size))

// The API's words for the states of a download; the last two are other spellings of running and queued.
enum class StatusWord { queued, running, paused, completed, failed, cancelled, processing, pending };

struct StatusQuery {
  std::optional<StatusWord> status;
};
BOOST_DESCRIBE_STRUCT(StatusQuery, (), (status))

// Of downloads: those of one batch, and those after the last of an earlier answer (`next_cursor`).
struct CursorQuery {
  std::optional<std::string> batch_id, cursor;
};
BOOST_DESCRIBE_STRUCT(CursorQuery, (), (batch_id, cursor))

struct PurgeQuery {
  bool purge = false;
};
BOOST_DESCRIBE_STRUCT(PurgeQuery, (), (purge))

struct LogsQuery {
  LogLevel level = LogLevel::debug;
  std::int64_t tail = 1000, offset = 0;
  LogFormat format = LogFormat::json;
};
BOOST_DESCRIBE_STRUCT(LogsQuery, (), (level, tail, offset, format))

struct UrlQuery {
  std::string url;
};
BOOST_DESCRIBE_STRUCT(UrlQuery, (), (url))

// Whose rights a site is looked at with.
struct CookiesQuery {
  std::optional<std::string> cookies_id;
};
BOOST_DESCRIBE_STRUCT(CookiesQuery, (), (cookies_id))

enum class TableFormat { json, csv };

struct TableQuery {
  TableFormat format = TableFormat::json;
};
BOOST_DESCRIBE_STRUCT(TableQuery, (), (format))

struct DaysQuery {
  std::int64_t days = 0;
};
BOOST_DESCRIBE_STRUCT(DaysQuery, (), (days))

struct SubscriptionQuery {
  std::optional<std::string> subscription_id;
};
BOOST_DESCRIBE_STRUCT(SubscriptionQuery, (), (subscription_id))

struct KeyListQuery {
  bool active_only = false;
  std::optional<access::Level> permission_level;
};
BOOST_DESCRIBE_STRUCT(KeyListQuery, (), (active_only, permission_level))

struct DeliveriesQuery {
  std::optional<webhooks::DeliveryState> status;
  std::optional<std::string> request_id;
};
BOOST_DESCRIBE_STRUCT(DeliveriesQuery, (), (status, request_id))

// A signed link (access/file_links.h): all of it or nothing.
struct LinkQuery {
  std::optional<std::string> link, key, expires, signature;
};
BOOST_DESCRIBE_STRUCT(LinkQuery, (), (link, key, expires, signature))

struct WaitQuery {
  std::int64_t wait = 0;
  std::optional<std::string> state, phase;
};
BOOST_DESCRIBE_STRUCT(WaitQuery, (), (wait, state, phase))

struct StreamQuery {
  std::optional<std::int64_t> last_seq;
};
BOOST_DESCRIBE_STRUCT(StreamQuery, (), (last_seq))

struct TypesQuery {
  std::optional<std::string> types;
};
BOOST_DESCRIBE_STRUCT(TypesQuery, (), (types))

struct SocketQuery {
  std::optional<std::int64_t> last_seq;
  std::optional<std::string> api_key, key, ticket;
};
BOOST_DESCRIBE_STRUCT(SocketQuery, (), (last_seq, api_key, key, ticket))

inline constexpr http::HeaderParameter kIdempotencyKeyHeader{
    "Idempotency-Key",
    "1 to 255 visible characters. The same request with the same key is carried out once: docs/queue.md."};
inline constexpr http::HeaderParameter kLastEventIdHeader{
    "Last-Event-ID", "The last event that was seen; what came after it is sent first."};
inline constexpr http::HeaderParameter kSetupTokenHeader{"X-Setup-Token",
                                                         "The one-time token that the server wrote down."};
inline constexpr http::HeaderParameter kRangeHeaders[] = {
    {"Range", "The part of the file that is wanted."},
    {"If-Range", "The ETag or time of the file whose part it is; of another file all is sent."},
    {"If-None-Match", "ETags of what the caller has: 304 when the file is one of these."},
    {"If-Match", "ETags of what the caller wants: 412 when the file is none of these."},
    {"If-Modified-Since", "304 when the file is not newer."},
    {"If-Unmodified-Since", "412 when the file is newer."}};

// The contract of a route that becomes a WebSocket.
template <class... Queries>
[[nodiscard]] http::Contract watching() {
  return {
      .body = http::Body::none(),
      .query = http::Query::of<SocketQuery, Queries...>(),
      .answers = http::Answers::empty(101, "The connection speaks WebSocket: docs/websocket.md."),
      .refusals = http::Refusals::of(
          {{400, http::kAnyCode}, {404, "not_found"}, {422, "validation_error"}, {426, "upgrade_required"}})};
}

}  // namespace trawl::api

template <>
struct trawl::EnumText<trawl::api::StatusWord> {
  using S = trawl::api::StatusWord;
  static constexpr std::pair<S, std::string_view> names[] = {
      {S::queued, "queued"},         {S::running, "running"}, {S::paused, "paused"},
      {S::completed, "completed"},   {S::failed, "failed"},   {S::cancelled, "cancelled"},
      {S::processing, "processing"}, {S::pending, "pending"}};
};

template <>
struct trawl::EnumText<trawl::api::TableFormat> {
  using F = trawl::api::TableFormat;
  static constexpr std::pair<F, std::string_view> names[] = {{F::json, "json"}, {F::csv, "csv"}};
};

template <>
struct trawl::Rules<trawl::api::CookiesQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "cookies_id", .doc = "Stored cookies to look with.", .max = 64, .alias = "cookies"}};
};
template <>
struct trawl::Rules<trawl::api::TableQuery> {
  static constexpr FieldRule fields[] = {{.name = "format", .doc = "`csv` for a table."}};
};
template <>
struct trawl::Rules<trawl::api::DaysQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "days", .doc = "Also delete files that are older; 0 deletes none.", .min = 0, .max = 36'500}};
};

template <>
struct trawl::Rules<trawl::api::PagingQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "page", .doc = "Which page, from 1.", .min = 1, .max = 10'000'000},
      {.name = "page_size", .doc = "How many on a page; 20 unless set.", .min = 1, .max = 100},
      {.name = "per_page", .doc = "Another spelling of `page_size`.", .min = 1, .max = 100},
      {.name = "limit", .doc = "Another spelling of `page_size`.", .min = 1, .max = 100},
      {.name = "offset", .doc = "How many to leave out, in place of `page`.", .min = 0, .max = 1'000'000'000},
      {.name = "skip", .doc = "Another spelling of `offset`.", .min = 0, .max = 1'000'000'000}};
};
template <>
struct trawl::Rules<trawl::api::ChildrenQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "page", .doc = "Which page of the batch's downloads, from 1.", .min = 1, .max = 1'000'000},
      {.name = "page_size", .doc = "How many downloads on a page.", .min = 1, .max = 1000}};
};
template <>
struct trawl::Rules<trawl::api::StatusQuery> {
  static constexpr FieldRule fields[] = {{.name = "status", .doc = "Only those of this status."}};
};
template <>
struct trawl::Rules<trawl::api::PurgeQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "purge", .doc = "Delete the record and the files of a download that has ended."}};
};
template <>
struct trawl::Rules<trawl::api::LogsQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "level", .doc = "Only lines of this level and above."},
      {.name = "tail", .doc = "The newest so many lines.", .min = 1, .max = 10'000},
      {.name = "offset", .doc = "Leave out so many of the newest.", .min = 0, .max = 1'000'000},
      {.name = "format", .doc = "`text` for plain lines."}};
};
template <>
struct trawl::Rules<trawl::api::UrlQuery> {
  static constexpr FieldRule fields[] = {{.name = "url",
                                          .doc = "The page to look at.",
                                          .min = 1,
                                          .max = 8192,
                                          .required = true,
                                          .example = "\"https://example.com/playlist?list=1\""}};
};
template <>
struct trawl::Rules<trawl::api::SubscriptionQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "subscription_id", .doc = "Only the runs of this subscription."}};
};
template <>
struct trawl::Rules<trawl::api::KeyListQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "active_only", .doc = "Leave out keys that cannot be used."},
      {.name = "permission_level", .doc = "Only keys of this level."}};
};
template <>
struct trawl::Rules<trawl::api::DeliveriesQuery> {
  static constexpr FieldRule fields[] = {{.name = "status", .doc = "Only deliveries in this state."},
                                         {.name = "request_id", .doc = "Only those of this download."}};
};
template <>
struct trawl::Rules<trawl::api::LinkQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "link", .doc = "Of a signed link: which one."},
      {.name = "key", .doc = "Of a signed link: the key that made it."},
      {.name = "expires", .doc = "Of a signed link: when it ends, in seconds of Unix time."},
      {.name = "signature", .doc = "Of a signed link: stands in for a key."}};
};
template <>
struct trawl::Rules<trawl::api::WaitQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "wait", .doc = "Seconds to wait for a change of state or phase.", .min = 0, .max = 60},
      {.name = "state", .doc = "The state that is known already; today's unless given."},
      {.name = "phase", .doc = "The phase that is known already; today's unless given."}};
};
template <>
struct trawl::Rules<trawl::api::StreamQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "last_seq",
       .doc = "The last event that was seen; a header `Last-Event-ID` goes before.",
       .min = -1}};
};
template <>
struct trawl::Rules<trawl::api::TypesQuery> {
  static constexpr FieldRule fields[] = {{.name = "types",
                                          .doc = "Which messages: a list of `status`, `log` and `progress`.",
                                          .example = "\"status,progress\""}};
};
template <>
struct trawl::Rules<trawl::api::SocketQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "last_seq",
       .doc = "The last message that was seen; what came after it is sent first.",
       .min = 0},
      {.name = "api_key", .doc = "The key, where headers cannot be set.", .secret = true},
      {.name = "key", .doc = "Another spelling of `api_key`.", .secret = true},
      {.name = "ticket",
       .doc = "Instead of the key: from POST /api/v1/ws/tickets, good once.",
       .secret = true}};
};
