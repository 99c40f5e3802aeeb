#include "access/tickets.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "testing/fake_clock.h"
#include "testing/temp_dir.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

class TicketsTest : public ::testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return run_to_end(context, std::move(task));
  }
  // Whose ticket it is, or why it is none.
  std::string redeemed(const std::string& text) {
    const auto key = run(tickets.redeem(text));
    return key ? *key : key.error().reason;
  }

  TempDir folder;
  asio::io_context context;
  FakeClock clock;
  std::unique_ptr<db::Database> database =
      db::open_sqlite(folder / "trawl.db", context.get_executor()).value();
  Tickets tickets{*database, clock};
};

TEST_F(TicketsTest, AreGoodOnce) {
  const Ticket one = run(tickets.issue("Ab12Cd34")).value(), other = run(tickets.issue("Zz99Yy88")).value();
  EXPECT_NE(one.text, other.text);
  EXPECT_EQ(one.expires_at, clock.now() + 30s);
  EXPECT_EQ(redeemed(one.text), "Ab12Cd34");
  EXPECT_EQ(redeemed(one.text), "ticket_invalid");
  EXPECT_EQ(redeemed(other.text), "Zz99Yy88");
  EXPECT_EQ(redeemed("ticket_of_nobody"), "ticket_invalid");
}

TEST_F(TicketsTest, AreGoodForThirtySeconds) {
  const Ticket in_time = run(tickets.issue("k")).value(), late = run(tickets.issue("k")).value();
  clock.advance(30s - 1ms);
  EXPECT_EQ(redeemed(in_time.text), "k");
  clock.advance(1ms);
  EXPECT_EQ(redeemed(late.text), "ticket_invalid");
}

TEST_F(TicketsTest, AreNotKeptAsTheyAreNorForEver) {
  const Ticket ticket = run(tickets.issue("k")).value();
  const auto rows = [&](std::string digest) {
    return run(database->read([digest](db::Transaction& transaction) {
             return transaction.query("SELECT 1 FROM tickets WHERE digest <> $1", {digest});
           }))
        .value()
        .size();
  };
  EXPECT_EQ(rows(ticket.text), 1U);
  clock.advance(31s);
  EXPECT_TRUE(run(tickets.issue("k")));
  EXPECT_EQ(rows(""), 1U);
}

}  // namespace
}  // namespace trawl::access
