#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "async/run.h"
#include "async/scope.h"
#include "testing/scripted_origin.h"
#include "transfer/http_client.h"

namespace trawl::transfer {

// Keeps what it is given.
struct TextSink final : Sink {
  Result<void> begin(const Head& head) override {
    heads.push_back(head);
    return {};
  }
  Result<void> data(std::span<const char> bytes) override {
    text.append(bytes.data(), bytes.size());
    return {};
  }
  std::vector<Head> heads;
  std::string text;
};

// A client and origins on one io_context.
class TransferTest : public testing::Test {
 protected:
  using Request = ScriptedOrigin::Request;
  using Reply = ScriptedOrigin::Reply;

  std::unique_ptr<ScriptedOrigin> origin(ScriptedOrigin::Answer answer) {
    return std::make_unique<ScriptedOrigin>(context, origins, std::move(answer));
  }

  // Runs `body` to its end, then stops the client and the origins.
  void run(std::function<Task<void>()> body) {
    client = make_http_client(context.get_executor(), policy, limits);
    client->start();
    run_to_end(context, run_body(std::move(body)));
    client->close();
    client.reset();
  }

  net::EgressPolicy policy{{.allow_private_networks = true}};
  ClientLimits limits;
  asio::io_context context;
  Scope origins{context.get_executor()};
  std::unique_ptr<HttpClient> client;

 private:
  Task<void> run_body(std::function<Task<void>()> body) {
    std::exception_ptr failure;
    try {
      co_await body();
    } catch (...) {
      failure = std::current_exception();
    }
    co_await origins.close();
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace trawl::transfer
