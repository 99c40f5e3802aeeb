#include "aws/metadata_call.h"

#include <curl/curl.h>
#include <memory>

#include <fmt/format.h>

namespace trawl::aws {
namespace {

constexpr std::size_t kLongestAnswer = 64 << 10;
constexpr long kConnectMillis = 1000, kMillis = 2000;

std::size_t collect(const char* data, std::size_t, std::size_t size, void* into) {
  auto& answer = *static_cast<std::string*>(into);
  if (answer.size() + size > kLongestAnswer) return 0;
  answer.append(data, size);
  return size;
}

}  // namespace

Result<std::string> metadata_call(const std::string& method, const std::string& url,
                                  const std::vector<std::string>& headers) {
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  curl_slist* list = nullptr;
  for (const std::string& line : headers) list = curl_slist_append(list, line.c_str());
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> lines(list, curl_slist_free_all);
  std::string answer;
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMillis);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kMillis);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  const CURLcode done = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (done != CURLE_OK)
    return fail(Errc::unavailable, fmt::format("{}: {}", url, curl_easy_strerror(done)), "no_credentials");
  if (status == 404) return fail(Errc::not_found, fmt::format("{} answers 404", url), "no_credentials");
  if (status != 200)
    return fail(Errc::unavailable, fmt::format("{} answers {}", url, status), "no_credentials");
  return answer;
}

}  // namespace trawl::aws
