#include "api/ticket_routes.h"

#include "access/scopes.h"
#include "api/common_views.h"

namespace trawl::api {
namespace {

struct TicketView {
  std::string ticket;
  std::int64_t expires_in = 0;  // Seconds.
  SystemTime expires_at;
};
BOOST_DESCRIBE_STRUCT(TicketView, (), (ticket, expires_in, expires_at))

}  // namespace
}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::TicketView> {
  static json::value make() {
    return encode(trawl::api::TicketView{.ticket = "ticket_4f9GpJ2mQxW7bRkT1sVzLc8dYh3nEa6uKo0iPyXtBqM",
                                         .expires_in = 30,
                                         .expires_at = trawl::api::example_time(30)});
  }
};

namespace trawl::api {

void TicketRoutes::add_to(http::Router& router) {
  for (const char* path : {"/api/v1/ws/tickets", "/ws/tickets"}) {
    router.add({.method = "POST",
                .path = path,
                .scope = access::kDownloadsRead,
                .summary = "Make a ticket that opens one WebSocket, as ?ticket=, within 30 seconds.",
                .contract = {.body = http::Body::none(),
                             .query = http::Query::none(),
                             .answers = http::Answers::json<TicketView>(201),
                             .refusals = http::Refusals::none()}},
               [this](http::Request request) { return issue(std::move(request)); });
  }
}

Task<http::Response> TicketRoutes::issue(http::Request request) {
  auto ticket = co_await tickets_.issue(request.caller.key);
  if (!ticket) co_return http::error_response(request, ticket.error());
  http::Response response =
      http::json_response(201, encode(TicketView{.ticket = std::move(ticket->text),
                                                 .expires_in = access::kTicketTime.count(),
                                                 .expires_at = ticket->expires_at}));
  response.headers.set("Cache-Control", "no-store");
  co_return response;
}

}  // namespace trawl::api
