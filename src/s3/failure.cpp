#include "s3/failure.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::s3 {
namespace {

constexpr std::string_view kSlower[] = {"SlowDown", "Throttling", "ThrottlingException",
                                        "RequestLimitExceeded", "TooManyRequests"};
// Damaged or cut off on the way here count as failures of the way.
constexpr std::string_view kAgain[] = {"InternalError",
                                       "ServiceUnavailable",
                                       "RequestTimeout",
                                       "OperationAborted",
                                       "IncompleteBody",
                                       "BadDigest",
                                       "InvalidDigest",
                                       "ConditionalRequestConflict",
                                       "XAmzContentSHA256Mismatch",
                                       "XAmzContentChecksumMismatch"};
constexpr std::string_view kExpired[] = {"ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException"};

bool is_one_of(std::span<const std::string_view> codes, const std::string& code) {
  return std::ranges::find(codes, code) != codes.end();
}

After after(long status, const std::string& code) {
  if (is_one_of(kExpired, code)) return After::new_keys;
  if (is_one_of(kSlower, code) || status == 429) return After::again_slower;
  if (is_one_of(kAgain, code) || status >= 500 || status == 408) return After::again;
  return After::give_up;
}

}  // namespace

Failure judge_answer(long status, const std::string& code, const std::string& what) {
  const After next = after(status, code);
  const std::string said = code.empty() ? "" : " " + to_valid_utf8(code.substr(0, 80));
  if (status == 404 && code != "NoSuchBucket")
    return {next,
            {Errc::not_found, fmt::format("the storage has nothing to {}:{}", what, said), "not_found"},
            code};
  std::string message = fmt::format("the storage refuses to {}: {}{}", what, status, said);
  if (status == 301 || status == 307) message += " (the bucket is in another region: storage.s3.region)";
  return {next, {Errc::unavailable, std::move(message), "storage_refused"}, code};
}

Failure judge_connection(const std::string& why, const std::string& what) {
  return {After::again,
          {Errc::unavailable, fmt::format("cannot {} in the storage: {}", what, why), "storage_unavailable"},
          {}};
}

std::chrono::milliseconds delay_after(int attempt, After after, double jitter) {
  const double first = after == After::again_slower ? 500 : 100;
  const double most = std::min(first * std::pow(2.0, attempt - 1), 8'000.0);
  return std::chrono::milliseconds(static_cast<std::int64_t>(most * (0.1 + 0.9 * jitter)));
}

}  // namespace trawl::s3
