#include <stdexcept>

#include <gtest/gtest.h>

#include "db/database.h"

namespace trawl::db {
namespace {

const Row kRow({std::monostate(), std::int64_t{7}, 1.5, std::string("seven")});

TEST(Row, GivesEachColumnInItsType) {
  EXPECT_TRUE(kRow.null(0));
  EXPECT_FALSE(kRow.null(1));
  EXPECT_EQ(kRow.integer(1), 7);
  EXPECT_TRUE(kRow.boolean(1));
  EXPECT_EQ(kRow.real(1), 7.0);
  EXPECT_EQ(kRow.real(2), 1.5);
  EXPECT_EQ(kRow.text(3), "seven");
}

TEST(Row, TakesNullForNothingOnlyWhereThatIsAskedFor) {
  EXPECT_EQ(kRow.maybe_integer(0), std::nullopt);
  EXPECT_EQ(kRow.maybe_text(0), std::nullopt);
  EXPECT_EQ(kRow.maybe_integer(1), 7);
  EXPECT_EQ(kRow.maybe_text(3), "seven");
  EXPECT_THROW((void)kRow.integer(0), std::logic_error);
}

TEST(Row, ThrowsWhenAskedForTheWrongTypeOrColumn) {
  EXPECT_THROW((void)kRow.integer(3), std::logic_error);
  EXPECT_THROW((void)kRow.integer(2), std::logic_error);
  EXPECT_THROW((void)kRow.text(1), std::logic_error);
  EXPECT_THROW((void)kRow.real(3), std::logic_error);
  EXPECT_THROW((void)kRow.maybe_text(1), std::logic_error);
  EXPECT_THROW((void)kRow.null(4), std::logic_error);
}

TEST(Value, HoldsANullOfItsTypeForAnEmptyOptional) {
  EXPECT_EQ(null_or(std::optional<std::string>()), Value(NullText()));
  EXPECT_EQ(null_or(std::optional<std::string>("x")), Value("x"));
  EXPECT_EQ(null_or(std::optional<std::int64_t>(3)), Value(std::int64_t{3}));
}

}  // namespace
}  // namespace trawl::db
