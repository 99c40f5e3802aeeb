#include "http/detail/deadline.h"

#include <boost/asio/steady_timer.hpp>

namespace trawl::http::detail {

using Time = std::chrono::steady_clock::time_point;

struct Deadline::State : std::enable_shared_from_this<State> {
  State(asio::ip::tcp::socket& watched, Action what)
      : timer(watched.get_executor()), socket(&watched), action(what) {}

  asio::steady_timer timer;
  asio::ip::tcp::socket* socket;  // Null when the owner is gone.
  Action action;
  Time due = Time::max();
  Time wakes = Time::max();
  bool passed = false;

  void wait() {
    wakes = due;
    timer.expires_at(due);
    timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && self->socket) self->wake();
    });
  }

  void wake() {
    wakes = Time::max();
    if (due == Time::max()) return;
    if (due > std::chrono::steady_clock::now()) return wait();
    due = Time::max();
    passed = true;
    boost::system::error_code ignored;  // The socket may have been closed already.
    if (action == Action::close)
      socket->close(ignored);
    else
      socket->cancel(ignored);
  }
};

Deadline::Deadline(asio::ip::tcp::socket& socket, Action action)
    : state_(std::make_shared<State>(socket, action)) {}

Deadline::~Deadline() {
  state_->socket = nullptr;
  state_->timer.cancel();
}

void Deadline::arm(std::chrono::milliseconds limit) {
  state_->passed = false;
  state_->due = std::chrono::steady_clock::now() + limit;
  if (state_->due < state_->wakes) state_->wait();
}

void Deadline::disarm() {
  state_->due = Time::max();
}

bool Deadline::passed() const {
  return state_->passed;
}

}  // namespace trawl::http::detail
