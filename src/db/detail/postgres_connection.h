#pragma once

#include <chrono>
#include <libpq-fe.h>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "db/detail/answer.h"

namespace trawl::db::detail {

// One connection, used by one thread at a time. No call waits longer than kPatience for the server:
// after that the connection is given up, as a link that answers nothing cannot be told from a slow one.
class PostgresConnection {
 public:
  static constexpr std::chrono::milliseconds kPatience{15'000};
  static constexpr std::chrono::milliseconds kConnectPatience{5'000};

  // Errc::unavailable when the server cannot be reached, forbidden when it refuses the user.
  [[nodiscard]] static Result<PostgresConnection> open(const std::string& url);

  // One statement in the common dialect (postgres_sql.h) with parameters $1 to $n.
  [[nodiscard]] Result<std::vector<Row>> query(std::string_view sql,
                                               const std::vector<Value>& parameters = {});
  [[nodiscard]] Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& parameters = {});

  // All of them in one round trip; what follows one that fails is not run.
  [[nodiscard]] Result<std::vector<Answer>> run_all(const std::vector<Statement>& statements);

  // Any number of statements without parameters, in one round trip; the rows of the last one.
  [[nodiscard]] Result<std::vector<Row>> run_script(const std::string& sql);

  // Waits at most `limit` for notifications of channels this connection listens on.
  struct Notification {
    std::string channel, payload;
  };
  [[nodiscard]] Result<std::vector<Notification>> notifications(std::chrono::milliseconds limit);

  // False once the connection is lost; it does not come back.
  [[nodiscard]] bool alive() const;
  [[nodiscard]] bool in_transaction() const;
  // For waiting on more than this connection.
  [[nodiscard]] int socket() const { return PQsocket(connection_.get()); }

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Handle = std::unique_ptr<PGconn, Finish>;
  using Reply = std::unique_ptr<PGresult, Clear>;

  explicit PostgresConnection(Handle connection) : connection_(std::move(connection)) {}
  [[nodiscard]] Result<std::string> prepare(std::string_view sql, const std::vector<Value>& parameters);
  // Sends a prepared statement; false when that failed.
  [[nodiscard]] bool send(const std::string& name, const std::vector<Value>& parameters);
  // The last reply to what was sent, or the first error among them.
  [[nodiscard]] Result<Reply> finish(bool sent, std::string_view sql);
  // Replies to what was sent as one pipeline.
  [[nodiscard]] Result<std::vector<Answer>> finish_all(bool sent, const std::vector<Statement>& statements);
  // Everything is on its way to the server before `until`.
  [[nodiscard]] Result<void> flush(std::chrono::steady_clock::time_point until);
  // The next reply, null where a statement's replies end.
  [[nodiscard]] Result<Reply> next_reply(std::chrono::steady_clock::time_point until);
  [[nodiscard]] std::unexpected<Error> lost(std::string_view why);

  Handle connection_;
  bool given_up_ = false;
  std::unordered_map<std::string, std::string> prepared_;  // Types and text to the statement's name.
};

// What an SQLSTATE means to a caller.
[[nodiscard]] Errc code_of_sqlstate(std::string_view state);

}  // namespace trawl::db::detail
