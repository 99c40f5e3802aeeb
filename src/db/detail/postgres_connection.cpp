#include "db/detail/postgres_connection.h"

#include <charconv>
#include <poll.h>

#include <fmt/format.h>

#include "base/text.h"
#include "db/detail/postgres_sql.h"

namespace trawl::db::detail {
namespace {

using std::chrono::steady_clock;

// Of the types a Value can have (pg_type.dat); 0 lets the server decide, for NULL.
constexpr Oid kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kFloat4 = 700, kFloat8 = 701, kBool = 16,
              kNumeric = 1700;
constexpr std::size_t kStatements = 256;

Oid type_of(const Value& value) {
  constexpr Oid kTypes[] = {0, kInt8, kFloat8, kText, kInt8, kText};
  return kTypes[value.index()];
}

// Nothing for a NULL.
std::optional<std::string> text_of(const Value& value) {
  using Text = std::optional<std::string>;
  struct Writer {
    Text operator()(std::monostate) const { return std::nullopt; }
    Text operator()(NullInteger) const { return std::nullopt; }
    Text operator()(NullText) const { return std::nullopt; }
    Text operator()(std::int64_t v) const { return fmt::format("{}", v); }
    Text operator()(double v) const { return fmt::format("{}", v); }
    Text operator()(const std::string& v) const { return postgres_text(v); }
  };
  return std::visit(Writer(), value);
}

template <class T>
T number(std::string_view text) {
  T out{};
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

Value column_value(const PGresult* answer, int row, int column) {
  if (PQgetisnull(answer, row, column)) return std::monostate();
  const std::string_view text(PQgetvalue(answer, row, column),
                              static_cast<std::size_t>(PQgetlength(answer, row, column)));
  switch (PQftype(answer, column)) {
    case kInt2:
    case kInt4:
    case kInt8:
      return number<std::int64_t>(text);
    case kBool:
      return std::int64_t{text == "t"};
    case kFloat4:
    case kFloat8:
    case kNumeric:
      return number<double>(text);
    default:
      return std::string(text);
  }
}

std::vector<Row> rows_of(const PGresult* answer) {
  std::vector<Row> rows;
  const int columns = PQnfields(answer);
  for (int row = 0; row < PQntuples(answer); ++row) {
    std::vector<Value> values;
    values.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) values.push_back(column_value(answer, row, column));
    rows.emplace_back(std::move(values));
  }
  return rows;
}

// False when `until` passed first.
bool await(PGconn* connection, short what, steady_clock::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
    if (left.count() < 0) return false;
    pollfd entry{.fd = PQsocket(connection), .events = what, .revents = 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool connect(PGconn* connection) {
  const auto until = steady_clock::now() + PostgresConnection::kConnectPatience;
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) return false;
    if (!await(connection, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until)) return false;
    next = PQconnectPoll(connection);
  }
  return true;
}

std::string first_line(std::string_view text) {
  return to_valid_utf8(trim(text.substr(0, text.find('\n'))));
}

bool good(const PGresult* reply) {
  const auto status = PQresultStatus(reply);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

Error error_of(const PGresult* reply, std::string_view sql) {
  const char* state = PQresultErrorField(reply, PG_DIAG_SQLSTATE);
  const char* text = PQresultErrorField(reply, PG_DIAG_MESSAGE_PRIMARY);
  return fail(code_of_sqlstate(state ? state : ""),
              fmt::format("database: {} {} (in \"{}\")", state ? state : "?", text ? text : "no message",
                          sql.substr(0, 120)))
      .error();
}

// Why it is none of what a statement may bring; nothing when it is.
std::optional<Error> failure_of(PGresult* reply, std::string_view sql) {
  if (!good(reply)) return error_of(reply, sql);
  // COMMIT of a transaction in which a statement failed succeeds, and rolls back.
  if (sql == "COMMIT" && std::string_view(PQcmdStatus(reply)) == "ROLLBACK")
    return Error{Errc::internal, "database: the transaction had failed before it was committed", ""};
  return std::nullopt;
}

Answer answer_of(PGresult* reply) {
  return {.rows = rows_of(reply), .changed = number<std::int64_t>(PQcmdTuples(reply))};
}

}  // namespace

Errc code_of_sqlstate(std::string_view state) {
  if (state == "53100") return Errc::no_space;
  if (state == "22021") return Errc::invalid;
  // Also deadlock, a lock that was not given in time, and a server that goes down or is read-only.
  for (const std::string_view passing : {"08", "40", "53", "55P03", "57", "25006", "25P03"}) {
    if (state.starts_with(passing)) return Errc::unavailable;
  }
  if (state.starts_with("23")) return Errc::conflict;
  if (state.starts_with("28") || state == "3D000" || state == "42501") return Errc::forbidden;
  return Errc::internal;
}

Result<PostgresConnection> PostgresConnection::open(const std::string& url) {
  // A session that stops in the middle (a frozen process) must not keep its locks for long. What the
  // URL says comes later and wins.
  const char* keys[] = {"fallback_application_name",
                        "client_encoding",
                        "keepalives_idle",
                        "keepalives_interval",
                        "keepalives_count",
                        "tcp_user_timeout",
                        "options",
                        "dbname",
                        nullptr};
  const char* values[] = {"trawl",
                          "UTF8",
                          "5",
                          "2",
                          "3",
                          "10000",
                          "-c lock_timeout=5000 -c statement_timeout=12000"
                          " -c idle_in_transaction_session_timeout=5000 -c timezone=UTC"
                          " -c client_min_messages=warning"
                          // Statements here are short, and compiling one takes longer than running it.
                          " -c jit=off",
                          url.c_str(),
                          nullptr};
  Handle handle(PQconnectStartParams(keys, values, 1));
  if (!handle) return fail(Errc::internal, "out of memory");
  if (PQstatus(handle.get()) != CONNECTION_BAD && connect(handle.get())) {
    PQsetnonblocking(handle.get(), 1);
    PQsetNoticeProcessor(handle.get(), [](void*, const char*) {}, nullptr);
    return PostgresConnection(std::move(handle));
  }
  const std::string why = first_line(PQerrorMessage(handle.get()));
  const bool refused = why.contains("authentication failed") || why.contains("does not exist");
  return fail(refused ? Errc::forbidden : Errc::unavailable,
              fmt::format("cannot reach the database: {}", why.empty() ? "no answer" : why),
              "database_unavailable");
}

bool PostgresConnection::alive() const {
  return !given_up_ && connection_ && PQstatus(connection_.get()) == CONNECTION_OK;
}

bool PostgresConnection::in_transaction() const {
  return alive() && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE;
}

std::unexpected<Error> PostgresConnection::lost(std::string_view why) {
  given_up_ = true;
  return fail(Errc::unavailable, fmt::format("the connection to the database was lost: {}", why),
              "database_unavailable");
}

Result<void> PostgresConnection::flush(steady_clock::time_point until) {
  int unsent = 0;
  while ((unsent = PQflush(connection_.get())) == 1) {
    if (!await(connection_.get(), POLLIN | POLLOUT, until)) return lost("no answer in time");
    if (PQconsumeInput(connection_.get()) == 0) return lost(first_line(PQerrorMessage(connection_.get())));
  }
  if (unsent < 0) return lost(first_line(PQerrorMessage(connection_.get())));
  return {};
}

Result<PostgresConnection::Reply> PostgresConnection::next_reply(steady_clock::time_point until) {
  while (PQisBusy(connection_.get()) != 0) {
    if (!await(connection_.get(), POLLIN, until)) return lost("no answer in time");
    if (PQconsumeInput(connection_.get()) == 0) return lost(first_line(PQerrorMessage(connection_.get())));
  }
  return Reply(PQgetResult(connection_.get()));
}

Result<PostgresConnection::Reply> PostgresConnection::finish(bool sent, std::string_view sql) {
  if (!alive()) return lost("it is closed");
  if (!sent) return lost(first_line(PQerrorMessage(connection_.get())));
  const auto until = steady_clock::now() + kPatience;
  if (auto flushed = flush(until); !flushed) return fail(flushed.error());
  Reply last;
  std::optional<Error> failed;
  while (true) {
    auto reply = next_reply(until);
    if (!reply) return reply;
    if (!*reply) break;
    if (!failed) failed = failure_of(reply->get(), sql);
    last = std::move(*reply);
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    return lost(failed ? failed->message : first_line(PQerrorMessage(connection_.get())));
  if (failed) return fail(std::move(*failed));
  if (!last) return lost("no answer");
  return last;
}

Result<std::vector<Answer>> PostgresConnection::finish_all(bool sent,
                                                           const std::vector<Statement>& statements) {
  if (!alive()) return lost("it is closed");
  if (!sent) return lost(first_line(PQerrorMessage(connection_.get())));
  const auto until = steady_clock::now() + kPatience;
  if (auto flushed = flush(until); !flushed) return fail(flushed.error());
  std::vector<Answer> answers;
  std::optional<Error> failed;
  while (true) {
    const auto reply = next_reply(until);
    if (!reply) return fail(reply.error());
    if (PQstatus(connection_.get()) != CONNECTION_OK)
      return lost(first_line(PQerrorMessage(connection_.get())));
    if (!*reply) continue;  // Between two statements.
    const auto status = PQresultStatus(reply->get());
    if (status == PGRES_PIPELINE_SYNC) break;
    if (status == PGRES_PIPELINE_ABORTED) continue;
    if (!failed) failed = failure_of(reply->get(), statements.at(answers.size()).sql);
    if (!failed) answers.push_back(answer_of(reply->get()));
  }
  if (PQexitPipelineMode(connection_.get()) != 1) return lost(first_line(PQerrorMessage(connection_.get())));
  if (failed) return fail(std::move(*failed));
  return answers;
}

Result<std::string> PostgresConnection::prepare(std::string_view sql, const std::vector<Value>& parameters) {
  std::vector<Oid> types;
  std::string key;
  for (const Value& value : parameters) {
    types.push_back(type_of(value));
    key += static_cast<char>('0' + value.index());
  }
  key += sql;
  if (const auto known = prepared_.find(key); known != prepared_.end()) return known->second;
  const std::string name = fmt::format("s{}", prepared_.size());
  const bool sent = PQsendPrepare(connection_.get(), name.c_str(), postgres_sql(sql).c_str(),
                                  static_cast<int>(types.size()), types.data()) == 1;
  if (const auto done = finish(sent, sql); !done) return fail(done.error());
  prepared_.emplace(std::move(key), name);
  return name;
}

bool PostgresConnection::send(const std::string& name, const std::vector<Value>& parameters) {
  std::vector<std::optional<std::string>> texts;
  for (const Value& value : parameters) texts.push_back(text_of(value));
  std::vector<const char*> values;
  for (const auto& text : texts) values.push_back(text ? text->c_str() : nullptr);
  return PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()), values.data(),
                             nullptr, nullptr, 0) == 1;
}

Result<std::vector<Answer>> PostgresConnection::run_all(const std::vector<Statement>& statements) {
  if (statements.empty()) return std::vector<Answer>();
  if (!alive()) return lost("it is closed");
  if (prepared_.size() >= kStatements) {  // Not between two of this list, whose names it would forget.
    if (const auto dropped = run_script("DEALLOCATE ALL"); !dropped) return fail(dropped.error());
    prepared_.clear();
  }
  std::vector<std::string> names;
  for (const Statement& statement : statements) {
    auto name = prepare(statement.sql, statement.parameters);
    if (!name) return fail(std::move(name.error()));
    names.push_back(std::move(*name));
  }
  if (statements.size() == 1) {
    const auto reply = finish(send(names.front(), statements.front().parameters), statements.front().sql);
    if (!reply) return fail(reply.error());
    std::vector<Answer> one;
    one.push_back(answer_of(reply->get()));
    return one;
  }
  bool sent = PQenterPipelineMode(connection_.get()) == 1;
  for (std::size_t i = 0; sent && i < statements.size(); ++i) sent = send(names[i], statements[i].parameters);
  return finish_all(sent && PQpipelineSync(connection_.get()) == 1, statements);
}

Result<std::vector<Row>> PostgresConnection::query(std::string_view sql,
                                                   const std::vector<Value>& parameters) {
  auto answers = run_all({{std::string(sql), parameters}});
  if (!answers) return fail(std::move(answers.error()));
  return std::move(answers->front().rows);
}

Result<std::int64_t> PostgresConnection::execute(std::string_view sql, const std::vector<Value>& parameters) {
  const auto answers = run_all({{std::string(sql), parameters}});
  if (!answers) return fail(answers.error());
  return answers->front().changed;
}

Result<std::vector<Row>> PostgresConnection::run_script(const std::string& sql) {
  if (!alive()) return lost("it is closed");
  const auto answer = finish(PQsendQuery(connection_.get(), postgres_sql(sql).c_str()) == 1, sql);
  if (!answer) return fail(answer.error());
  return rows_of(answer->get());
}

Result<std::vector<PostgresConnection::Notification>> PostgresConnection::notifications(
    std::chrono::milliseconds limit) {
  if (!alive()) return lost("it is closed");
  std::vector<Notification> out;
  const auto until = steady_clock::now() + limit;
  while (true) {
    while (PGnotify* raw = PQnotifies(connection_.get())) {
      out.push_back({raw->relname, raw->extra});
      PQfreemem(raw);
    }
    if (!out.empty() || !await(connection_.get(), POLLIN, until)) return out;
    if (PQconsumeInput(connection_.get()) == 0) return lost(first_line(PQerrorMessage(connection_.get())));
  }
}

}  // namespace trawl::db::detail
