#include "sqs/client.h"

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::sqs {
namespace {

constexpr std::size_t kLongestAnswer = 4 << 20;
constexpr long kConnectSeconds = 5, kSeconds = 30;  // More than the longest poll, 20 s.

std::size_t collect(const char* data, std::size_t, std::size_t size, void* into) {
  auto& answer = *static_cast<std::string*>(into);
  if (answer.size() + size > kLongestAnswer) return 0;
  answer.append(data, size);
  return size;
}

int interrupted(void* flag, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0;
}

Errc code_of(long status) {
  if (status == 401 || status == 403) return Errc::forbidden;
  return status == 429 || status >= 500 ? Errc::unavailable : Errc::conflict;
}

}  // namespace

Client::Client(Queue queue, std::shared_ptr<aws::Credentials> credentials)
    : queue_(std::move(queue)), credentials_(std::move(credentials)), handle_(curl_easy_init()) {
  CURL* curl = handle_.get();
  curl_easy_setopt(curl, CURLOPT_URL, queue_.endpoint.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, kSeconds);
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:sqs", queue_.region).c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer_);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, interrupted);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &interrupted_);
}

Result<json::object> Client::call(std::string_view action, json::object request) {
  const auto keys = credentials_->get();
  if (!keys) return fail(keys.error());
  request["QueueUrl"] = queue_.url;
  const std::string body = json::serialize(request);
  const auto add = [](curl_slist* list, const std::string& line) {
    return curl_slist_append(list, line.c_str());
  };
  curl_slist* raw = add(nullptr, "Content-Type: application/x-amz-json-1.0");
  raw = add(raw, fmt::format("X-Amz-Target: AmazonSQS.{}", action));
  if (!keys->token.empty()) raw = add(raw, "X-Amz-Security-Token: " + keys->token);
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(add(raw, "Expect:"), curl_slist_free_all);
  CURL* curl = handle_.get();
  curl_easy_setopt(curl, CURLOPT_USERNAME, keys->access.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, keys->secret.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
  answer_.clear();
  const CURLcode done = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, nullptr);
  if (done != CURLE_OK)
    return fail(Errc::unavailable, fmt::format("the queue cannot be reached: {}", curl_easy_strerror(done)),
                "queue_unavailable");
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status == 400 || status == 403) credentials_->refused(*keys);  // They may have expired.
  if (status != 200)
    return fail(code_of(status),
                fmt::format("the queue refuses {}: {} {}", action, status,
                            to_valid_utf8(std::string_view(answer_).substr(0, 300))),
                "queue_refused");
  auto answer = parse_json(answer_.empty() ? "{}" : answer_);
  if (!answer || !answer->is_object())
    return fail(Errc::unavailable, "the queue answers something that is no JSON");
  return answer->get_object();
}

}  // namespace trawl::sqs
