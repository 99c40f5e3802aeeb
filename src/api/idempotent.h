#pragma once

#include <functional>
#include <string>

#include "http/message.h"
#include "jobs/idempotency.h"

namespace trawl::api {

// Carries requests with an `Idempotency-Key` out once (docs/queue.md).
//
// The same request again is answered with the stored status and body; another one with its key with
// 422; one that comes while the first is worked on with 409 and Retry-After. Only answers that
// `work` hands to its Keep are stored, so refusals are not.
class Idempotent {
 public:
  explicit Idempotent(jobs::Idempotency& store) : store_(store) {}

  // To be called in the transaction that does what was asked for, with the answer. Does nothing for
  // requests without a key.
  using Keep = std::function<Result<void>(db::Transaction&, const http::Response&)>;
  using Work = std::function<Task<http::Response>(Keep)>;

  // `tenant`: whose request it is. `request` and `work` must outlive the call.
  [[nodiscard]] Task<http::Response> run(const http::Request& request, std::string tenant, const Work& work);

 private:
  [[nodiscard]] Task<std::optional<http::Response>> replay(const http::Request& request,
                                                           jobs::IdempotencyKey key);

  jobs::Idempotency& store_;
};

}  // namespace trawl::api
