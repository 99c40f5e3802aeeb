#pragma once

#include <string>

#include "async/wire.h"
#include "events/bus.h"

namespace trawl::events {

// Tells the buses of the other nodes what happened on this one, and this bus what happened there.
//
// A hint like the bus: recorded events that come over the wire are marked `elsewhere`, because two
// nodes may be heard in another order than they wrote. Who needs every event in its order reads the
// log when one arrives, as a WebSocket does.
class Relay {
 public:
  Relay(Bus& bus, Wire& wire, std::string node);  // A name that no other process has or had.
  ~Relay() { stop(); }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void start();
  void stop();

 private:
  void hear(const std::string& message);

  Bus& bus_;
  Wire& wire_;
  const std::string node_;
};

}  // namespace trawl::events
