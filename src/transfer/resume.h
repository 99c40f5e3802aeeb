#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "transfer/http_client.h"
#include "transfer/range_plan.h"

namespace trawl::transfer {

// What tells one version of a file from another. A weak ETag does not.
struct Validator {
  std::string etag;
  std::string last_modified;

  [[nodiscard]] bool empty() const { return etag.empty() && last_modified.empty(); }
  // For Request::if_range.
  [[nodiscard]] std::optional<std::string> condition() const;
  friend bool operator==(const Validator&, const Validator&) = default;
};
[[nodiscard]] Validator validator_of(const Head& head);

// The length in the Content-Range of a 416: "bytes */100".
[[nodiscard]] std::optional<std::int64_t> parse_unsatisfied_range(std::string_view text);

// What an earlier answer said about the file.
struct Known {
  std::optional<std::int64_t> total;
  Validator validator;
  std::int64_t have = 0;  // Bytes from the beginning on that are on disk.
  friend bool operator==(const Known&, const Known&) = default;
};

// What an answer means for the part file.
struct Verdict {
  enum class Kind { append, restart, complete } kind = Kind::restart;
  std::int64_t skip = 0;            // append: bytes of the body that come before what was asked for.
  std::optional<std::int64_t> end;  // append: where in the file the body ends, if that is known.
  std::optional<std::int64_t> total;
  bool ranges = false;  // The origin may answer ranges.
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// Decides what the answer to a GET (of `asked`, or of everything) means for the part file.
//
// Origins ignore Range, answer a different range, or replace the file between attempts. Appending in
// any of those cases splices two files together, so `append` is returned only when the answer proves
// that it continues what is known. Fails when the status says nothing about the file:
// "rate_limited", "origin_forbidden", "not_found", "origin_error".
[[nodiscard]] Result<Verdict> judge_answer(std::optional<Span> asked, const Known& known, const Head& head);

// How long an origin asks to be left alone; an HTTP date counts from `now`.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after(const Head& head, std::chrono::sys_seconds now);
[[nodiscard]] std::optional<std::chrono::seconds> retry_after(const Head& head);  // From this moment on.

// True when asking the same again later may help; otherwise only a new resolve may, or
// another attempt when others are done with the host.
[[nodiscard]] bool worth_retrying(const Error& error);

}  // namespace trawl::transfer
