#pragma once

#include <memory>

#include "async/wire.h"
#include "sqs/client.h"

namespace trawl::sqs {

// A queue of Amazon SQS, or of a server that speaks its JSON protocol: each message goes to one of the
// nodes that listen, which poll for up to 20 s. It is deleted as soon as it was taken. What nobody takes is
// bounded by the retention of the queue, and set aside by its redrive policy.
[[nodiscard]] std::unique_ptr<Wire> make_sqs_wire(const Queue& queue,
                                                  std::shared_ptr<aws::Credentials> credentials,
                                                  asio::any_io_executor loop);

}  // namespace trawl::sqs
