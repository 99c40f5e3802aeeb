#include "http/router.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "async/run.h"
#include "base/log.h"
#include "http/router_fixture.h"

namespace trawl::http {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() { configure_log(LogLevel::off, LogFormat::json); }

  // A handler that answers its name and the parameters it got.
  void add(const std::string& method, const std::string& pattern) {
    router.add(open_route(method, pattern), [pattern](Request request) -> Task<Response> {
      std::string text = pattern;
      for (const auto& [name, value] : request.path_params) text += " " + name + "=" + value;
      co_return Response{.status = 200, .headers = {}, .body = text};
    });
  }
  Response ask(const std::string& method, const std::string& path) {
    Request request;
    request.method = method, request.path = path, request.id = "id-1";
    return run_to_end(context, router.route(request));
  }
  std::string get(const std::string& path) { return std::get<std::string>(ask("GET", path).body); }

  asio::io_context context;
  Router router;
};

TEST_F(RouterTest, PrefersLiteralsToPlaceholdersToRests) {
  add("GET", "/files/{path...}");
  add("GET", "/files/{name}/meta");
  add("GET", "/files/{name}");
  add("GET", "/files/list");
  EXPECT_EQ(get("/files/list"), "/files/list");
  EXPECT_EQ(get("/files/x"), "/files/{name} name=x");
  EXPECT_EQ(get("/files/x/meta"), "/files/{name}/meta name=x");
  EXPECT_EQ(get("/files/x/other"), "/files/{path...} path=x/other");
}

TEST_F(RouterTest, DecodesParametersAndKeepsTheSlashesOfARest) {
  add("GET", "/one/{a}/{b}");
  add("GET", "/rest/{path...}");
  EXPECT_EQ(get("/one/a%20b/%C3%A4+%2F"), "/one/{a}/{b} a=a b b=\xc3\xa4+/");
  EXPECT_EQ(get("/rest/a%20b/c//d/"), "/rest/{path...} path=a b/c//d/");
  EXPECT_EQ(get("/%6fne/1/2"), "/one/{a}/{b} a=1 b=2");
}

TEST_F(RouterTest, LetsNoPlaceholderMatchNothing) {
  add("GET", "/one/{a}");
  add("GET", "/rest/{path...}");
  add("GET", "/");
  for (const char* path : {"/one/", "/one", "/one/a/", "/rest", "/rest/", "//", "/one//"})
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  EXPECT_EQ(get("/"), "/");
}

TEST_F(RouterTest, RefusesNulAndDotsInThePath) {
  add("GET", "/files/{path...}");
  add("GET", "/one/{name}");
  for (const char* path : {"/files/a%00b", "/files/../etc", "/files/%2e%2e/etc", "/files/a/..%2fb",
                           "/files/./a", "/one/..", "/one/%2E", "/files/a/.."}) {
    const Response response = ask("GET", path);
    EXPECT_EQ(response.status, 400) << path;
    EXPECT_TRUE(std::get<std::string>(response.body).contains("\"request_id\":\"id-1\""));
  }
  EXPECT_EQ(ask("GET", "/files/..a/b..").status, 200);
}

TEST_F(RouterTest, Answers404And405WithTheErrorBody) {
  add("GET", "/a");
  add("DELETE", "/a");
  EXPECT_EQ(ask("GET", "/b").status, 404);
  const Response refused = ask("POST", "/a");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.headers.find("Allow"), "DELETE, GET, HEAD, OPTIONS");
  EXPECT_EQ(parse_json(std::get<std::string>(refused.body))->at("error_code"), "method_not_allowed");
  EXPECT_EQ(ask("get", "/a").status, 405);
}

TEST_F(RouterTest, AnswersOptionsAndServesHeadThroughGet) {
  add("GET", "/a");
  add("POST", "/b");
  add("OPTIONS", "/c");
  EXPECT_EQ(ask("OPTIONS", "/a").status, 204);
  EXPECT_EQ(ask("OPTIONS", "/a").headers.find("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "*").headers.find("Allow"), "GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(ask("OPTIONS", "/c").status, 200);
  EXPECT_EQ(ask("OPTIONS", "/none").status, 404);
  EXPECT_EQ(ask("HEAD", "/a").status, 200);
  EXPECT_EQ(ask("HEAD", "/b").status, 405);
}

TEST_F(RouterTest, TakesTheMoreGeneralRouteWhenItAloneHasTheMethod) {
  add("POST", "/jobs/batch");
  add("GET", "/jobs/{id}");
  EXPECT_EQ(get("/jobs/batch"), "/jobs/{id} id=batch");
}

TEST_F(RouterTest, FindsWebSocketsAndAnswersPlainRequestsForThemWith426) {
  router.add_websocket(open_route("GET", "/ws/{id}"), [](Request, WebSocket&) -> Task<void> { co_return; });
  Request request;
  request.method = "GET", request.path = "/ws/7";
  ASSERT_NE(router.websocket(request), nullptr);
  EXPECT_EQ(request.path_param("id"), "7");
  request.path = "/ws";
  EXPECT_EQ(router.websocket(request), nullptr);
  request.path = "/ws/..";
  EXPECT_EQ(router.websocket(request), nullptr);
  EXPECT_EQ(ask("GET", "/ws/7").status, 426);
  EXPECT_EQ(ask("GET", "/ws/7").headers.find("Upgrade"), "websocket");
  EXPECT_EQ(ask("POST", "/ws/7").status, 405);
}

TEST_F(RouterTest, TurnsExceptionsIntoA500WithoutDetails) {
  router.add(open_route("GET", "/throw"), [](Request) -> Task<Response> {
    throw std::runtime_error("secret");
    co_return Response{};
  });
  const Response response = ask("GET", "/throw");
  EXPECT_EQ(response.status, 500);
  EXPECT_FALSE(std::get<std::string>(response.body).contains("secret"));
}

TEST_F(RouterTest, RefusesPatternsThatCannotWork) {
  add("GET", "/a/{x}");
  for (const char* pattern : {"a", "", "/{}", "/{...}", "/{a}/{a}", "/{a...}/b", "/a/{x}"})
    EXPECT_THROW(add("GET", pattern), std::logic_error) << pattern;
  EXPECT_NO_THROW(add("POST", "/a/{x}"));
}

// A route without a scope does not compile.
static_assert(!std::is_default_constructible_v<AccessScope> && !std::is_default_constructible_v<Endpoint>);

// Lets in who asks with a key, under the name of that key.
class KeyGate final : public Gatekeeper {
 public:
  Task<Admission> admit(Request& request, const Endpoint& endpoint) override {
    Admission admission;
    admission.headers.set("X-Scope", std::string(endpoint.scope.name()));
    request.caller.key = request.query;
    if (request.query.empty()) admission.refusal = error_response(request, 401, "unauthorized", "no");
    co_return admission;
  }
};

TEST(RouterGate, StandsBeforeEveryHandlerAndSaysWhoCalls) {
  KeyGate gate;
  Router router(&gate);
  int calls = 0;
  router.add({.method = "GET",
              .path = "/mine",
              .scope = AccessScope("x:read"),
              .summary = "Mine.",
              .contract = no_contract()},
             [&](Request request) -> Task<Response> {
               ++calls;
               co_return Response{.status = 200, .headers = {}, .body = request.caller.key};
             });
  asio::io_context context;
  Request request;
  request.method = "GET", request.path = "/mine";
  const Response refused = run_to_end(context, router.route(request));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(calls, 0);
  request.query = "k1";
  const Response passed = run_to_end(context, router.route(request));
  EXPECT_EQ(std::get<std::string>(passed.body), "k1");
  EXPECT_EQ(passed.headers.find("X-Scope"), "x:read");
}

TEST(RouterGate, LooksAtUpgradesBeforeTheRoutesOwnGuard) {
  KeyGate gate;
  Router router(&gate);
  router.add_websocket(
      open_route("GET", "/ws"), [](Request, WebSocket&) -> Task<void> { co_return; },
      [](Request& request) -> Task<std::optional<Response>> {
        co_return error_response(request, 404, "not_found", request.caller.key);
      });
  asio::io_context context;
  Request request;
  request.method = "GET", request.path = "/ws";
  const WebSocketRoute* route = router.websocket(request);
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(run_to_end(context, route->guard(request))->status, 401);
  request.query = "k1";
  EXPECT_EQ(run_to_end(context, route->guard(request))->status, 404);
  EXPECT_EQ(request.caller.key, "k1");
}

TEST(RouterGate, ListsWhatWasAddedWithItsScope) {
  Router router;
  const auto nothing = [](Request) -> Task<Response> { co_return Response{}; };
  router.add({.method = "POST",
              .path = "/b",
              .scope = AccessScope("b:write"),
              .summary = "B.",
              .contract = no_contract()},
             nothing);
  router.add({.method = "GET",
              .path = "/b",
              .scope = AccessScope("b:read"),
              .summary = "B.",
              .contract = no_contract()},
             nothing);
  router.add({.method = "GET",
              .path = "/a",
              .scope = AccessScope("a:read"),
              .summary = "A.",
              .contract = no_contract()},
             nothing);
  std::vector<std::string_view> scopes;
  for (const Endpoint& endpoint : router.endpoints()) scopes.push_back(endpoint.scope.name());
  EXPECT_EQ(scopes, (std::vector<std::string_view>{"a:read", "b:read", "b:write"}));
}

}  // namespace
}  // namespace trawl::http
