#pragma once

#include <chrono>
#include <string>

#include "base/result.h"

namespace trawl::s3 {

// What to do after a request failed.
enum class After {
  give_up,
  again,         // The server, or the way there, failed for now.
  again_slower,  // It is asked for too much.
  new_keys,      // The keys have expired.
};

struct Failure {
  After after = After::give_up;
  Error error;
  std::string code;  // Of the server, such as "NoSuchUpload"; empty when it said none.
};

// What an answer that is no success means. `code`: of its <Error>. Errc::not_found for an object or upload
// that is not there; unavailable for everything else, because no request of a caller can help it.
[[nodiscard]] Failure judge_answer(long status, const std::string& code, const std::string& what);
// There was no whole answer. `why` in libcurl's words.
[[nodiscard]] Failure judge_connection(const std::string& why, const std::string& what);

inline constexpr int kAttempts = 8;

// How long to wait after the `attempt`th failure, from 1 on: anything up to twice as long each time
// (`jitter` in [0,1)), so that those that failed together do not come again together.
[[nodiscard]] std::chrono::milliseconds delay_after(int attempt, After after, double jitter);

}  // namespace trawl::s3
