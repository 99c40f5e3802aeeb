#pragma once

#include <atomic>
#include <cstdint>
#include <curl/curl.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/keys.h"
#include "base/result.h"
#include "s3/bucket.h"
#include "s3/failure.h"

namespace trawl::s3 {

// A part of an open file as the body of a request; never in memory as a whole.
struct FilePart {
  int descriptor = -1;
  std::int64_t offset = 0, length = 0;
};

struct Call {
  std::string what;    // For messages: "store a file".
  std::string method;  // "PUT"
  std::string key;     // Without the bucket's prefix; empty: the bucket itself.
  std::vector<std::pair<std::string, std::string>> query{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::optional<FilePart> file{};  // In place of `body`.
  std::string sha256{};            // Of the body, in hex: the server holds what it received against it.
  int attempts = kAttempts;        // At most, while its failure may go away (failure.h).
  const std::atomic<bool>* stopped = nullptr;  // Once set, the call fails within a second.
};

struct Answer {
  long status = 0;
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;                            // At most 16 MiB.
};

struct ConnectionOptions {
  std::string ca_file;  // Certificates to trust besides those of the system; may be empty.
};

// A kept connection to a bucket, for one thread at a time.
//
// The operator names the server, so it may be anywhere, also in a private network; redirects are not
// followed and proxies of the environment are not used.
class Connection {
 public:
  // `interrupted` outlives this; once set, the call under way fails within a second, and every later one.
  Connection(const Bucket& bucket, const ConnectionOptions& options, const std::atomic<bool>& interrupted);

  // Any whole answer is a success; otherwise libcurl's words.
  [[nodiscard]] std::expected<Answer, std::string> call(const Call& call, const aws::Keys& keys);

 private:
  struct Clean {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };

  const Bucket& bucket_;
  const ConnectionOptions options_;
  const std::atomic<bool>& interrupted_;
  std::unique_ptr<CURL, Clean> handle_;
};

}  // namespace trawl::s3
