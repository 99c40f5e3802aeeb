#include "aws/presign.h"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "aws/hmac.h"
#include "base/sha256.h"
#include "base/text.h"

namespace trawl::aws {
namespace {

// Sorted by name, as they are signed.
std::string encoded(std::vector<std::pair<std::string, std::string>> query) {
  for (auto& [name, value] : query) {
    name = percent_encode(name);
    value = percent_encode(value);
  }
  std::ranges::sort(query);
  std::string out;
  for (const auto& [name, value] : query) out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

std::string signing_key(const Keys& keys, std::string_view date, const Presigned& request) {
  std::string key = "AWS4" + keys.secret;
  for (const std::string_view part : {date, std::string_view(request.region),
                                      std::string_view(request.service), std::string_view("aws4_request")}) {
    key = hmac_sha256(key, part);
  }
  return key;
}

}  // namespace

std::string presigned_url(const Presigned& request, const Keys& keys, SystemTime now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const std::string time = fmt::format("{:%Y%m%dT%H%M%SZ}", second);
  const std::string date = time.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", date, request.region, request.service);
  auto query = request.query;
  query.emplace_back("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  query.emplace_back("X-Amz-Credential", fmt::format("{}/{}", keys.access, scope));
  query.emplace_back("X-Amz-Date", time);
  query.emplace_back("X-Amz-Expires", fmt::format("{}", request.lifetime.count()));
  query.emplace_back("X-Amz-SignedHeaders", "host");
  if (!keys.token.empty()) query.emplace_back("X-Amz-Security-Token", keys.token);
  const std::string signed_query = encoded(std::move(query));

  const std::string host = request.origin.substr(request.origin.find("//") + 2);
  const std::string canonical =
      fmt::format("GET\n{}\n{}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD", request.path, signed_query, host);
  const std::string text = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, sha256_hex(canonical));
  const std::string signature = to_hex(hmac_sha256(signing_key(keys, date, request), text));
  return fmt::format("{}{}?{}&X-Amz-Signature={}", request.origin, request.path, signed_query, signature);
}

}  // namespace trawl::aws
