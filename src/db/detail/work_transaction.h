#pragma once

#include <optional>
#include <stdexcept>
#include <utility>

#include "db/detail/answer.h"

namespace trawl::db::detail {

// A transaction over a connection that has `Result<std::vector<Answer>> run_all(std::vector<Statement>)`.
// Whoever commits sends what take_pending() gives first, and hands its answers to settle().
template <class Connection>
class WorkTransaction final : public Transaction {
 public:
  using Actions = std::vector<std::function<void()>>;

  // `actions` is null in a read.
  WorkTransaction(Connection& connection, SystemTime now, Actions* actions)
      : connection_(connection), now_(now), actions_(actions) {}

  Result<std::vector<Row>> query(std::string_view sql, std::vector<Value> parameters) override {
    auto answers = run({{std::string(sql), std::move(parameters)}});
    if (!answers) return fail(std::move(answers.error()));
    return std::move(answers->front().rows);
  }
  Result<std::int64_t> execute(std::string_view sql, std::vector<Value> parameters) override {
    auto answers = run({{std::string(sql), std::move(parameters)}});
    if (!answers) return fail(std::move(answers.error()));
    return answers->front().changed;
  }
  Result<std::vector<std::vector<Row>>> query_all(std::vector<Statement> statements) override {
    auto answers = run(std::move(statements));
    if (!answers) return fail(std::move(answers.error()));
    std::vector<std::vector<Row>> out;
    for (Answer& answer : *answers) out.push_back(std::move(answer.rows));
    return out;
  }
  void later(Statement statement, Then then) override {
    if (!actions_) throw std::logic_error("a write in a read");
    pending_.push_back(std::move(statement));
    thens_.push_back(std::move(then));
  }
  SystemTime now() const override { return now_; }
  void on_commit(std::function<void()> action) override {
    if (!actions_) throw std::logic_error("on_commit in a read");
    actions_->push_back(std::move(action));
  }

  // What a statement failed with: nothing follows it and nothing is committed.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

  [[nodiscard]] std::vector<Statement> take_pending() { return std::exchange(pending_, {}); }
  // `answers` begins with those of what was pending.
  void settle(std::vector<Answer>& answers) {
    const auto thens = std::exchange(thens_, {});
    for (std::size_t i = 0; i < thens.size(); ++i) {
      if (thens[i]) thens[i](answers[i].rows);
    }
    answers.erase(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(thens.size()));
  }
  // Sends what is pending now.
  void flush() {
    if (!pending_.empty()) (void)run({});
  }

 private:
  Result<std::vector<Answer>> run(std::vector<Statement> statements) {
    if (failure_) return fail(*failure_);
    std::vector<Statement> all = take_pending();
    std::ranges::move(statements, std::back_inserter(all));
    auto answers = connection_.run_all(all);
    if (!answers)
      failure_ = answers.error();
    else
      settle(*answers);
    return answers;
  }

  Connection& connection_;
  const SystemTime now_;
  Actions* actions_;
  std::optional<Error> failure_;
  std::vector<Statement> pending_;
  std::vector<Then> thens_;
};

}  // namespace trawl::db::detail
