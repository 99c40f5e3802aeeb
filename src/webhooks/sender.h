#pragma once

#include <map>
#include <string>

#include "async/scope.h"
#include "async/semaphore.h"
#include "webhooks/delivery_store.h"
#include "webhooks/poster.h"

namespace trawl::webhooks {

// Delivers what the store has, as it becomes due.
class Sender {
 public:
  struct Options {
    Schedule schedule;
    std::size_t at_once = 16;             // Attempts in flight.
    Millis lease{60'000};                 // Longer than an attempt may take.
    Millis keep{7 * 24 * 3600 * 1000LL};  // How long settled deliveries can be looked at and replayed.
  };

  Sender(asio::any_io_executor executor, DeliveryStore& store, const Poster& poster, Options options)
      : store_(store),
        poster_(poster),
        options_(options),
        places_(executor, options.at_once),
        scope_(executor) {}

  void start();
  // Ends attempts under way; they are made again by whoever is next.
  [[nodiscard]] Task<void> stop() { return scope_.close(); }

 private:
  Task<void> deliver_what_is_due();
  Task<void> wait_for_work();
  Task<void> attempt(Delivery delivery, Semaphore::Permit place);
  Task<void> prune_regularly();

  DeliveryStore& store_;
  const Poster& poster_;
  const Options options_;
  Semaphore places_;
  Scope scope_;
};

}  // namespace trawl::webhooks
