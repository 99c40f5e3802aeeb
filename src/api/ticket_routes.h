#pragma once

#include "access/tickets.h"
#include "http/router.h"

namespace trawl::api {

// Hands out tickets for WebSockets (access/tickets.h).
class TicketRoutes {
 public:
  explicit TicketRoutes(access::Tickets& tickets) : tickets_(tickets) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> issue(http::Request request);

  access::Tickets& tickets_;
};

}  // namespace trawl::api
