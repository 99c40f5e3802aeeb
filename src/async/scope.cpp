#include "async/scope.h"

#include <exception>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "base/log.h"

namespace trawl {
namespace {

void report(const std::string& name, const std::exception_ptr& failure, bool closing) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    if (closing && error.code() == asio::error::operation_aborted) return;
    log_error("a background task failed", {{"task", name}, {"error", error.what()}});
  } catch (const std::exception& error) {
    log_error("a background task failed", {{"task", name}, {"error", error.what()}});
  }
}

}  // namespace

Scope::~Scope() = default;

void Scope::spawn(std::string name, Task<void> task) {
  if (closing_) return;
  const auto place = running_.emplace(running_.end());
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(
                     place->slot(), [this, place, name = std::move(name)](std::exception_ptr failure) {
                       report(name, failure, closing_);
                       running_.erase(place);
                       if (running_.empty()) idle_.notify_all();
                     }));
}

Task<void> Scope::close() {
  closing_ = true;
  // A signal may end its task at once, which takes it off the list: walk over a snapshot of places.
  std::vector<asio::cancellation_signal*> signals;
  for (auto& signal : running_) signals.push_back(&signal);
  for (auto* signal : signals) {
    asio::post(executor_, [this, signal] {
      for (auto& live : running_) {
        if (&live == signal) return live.emit(asio::cancellation_type::terminal);
      }
    });
  }
  co_await join();
}

Task<void> Scope::join() {
  while (!running_.empty()) co_await idle_.wait();
}

}  // namespace trawl
