#include "access/scopes.h"

#include <gtest/gtest.h>

namespace trawl::access {
namespace {

constexpr Level kLevels[] = {Level::read_only, Level::download, Level::admin, Level::full_access};

TEST(Scopes, OfALevelAreThoseItsNamePromises) {
  struct Case {
    http::AccessScope scope;
    bool read_only, download, admin, full_access;
  };
  for (const Case& c : {Case{kPublic, true, true, true, true},
                        {kDownloadsRead, true, true, true, true},
                        {kFilesRead, true, true, true, true},
                        {kMetadataRead, true, true, true, true},
                        {kStatsRead, true, true, true, true},
                        {kDownloadsWrite, false, true, true, true},
                        {kFilesWrite, false, true, true, true},
                        {kCookies, false, true, true, true},
                        {kWebhooks, false, true, true, true},
                        {kKeys, false, false, true, true},
                        {kSystemRead, false, false, true, true},
                        {kEveryone, false, false, true, true},
                        {kMetrics, false, false, true, true},
                        {kSystemManage, false, false, false, true},
                        {http::AccessScope("nonsense"), false, false, false, false}}) {
    EXPECT_EQ(grants(Level::read_only, c.scope), c.read_only) << c.scope.name();
    EXPECT_EQ(grants(Level::download, c.scope), c.download) << c.scope.name();
    EXPECT_EQ(grants(Level::admin, c.scope), c.admin) << c.scope.name();
    EXPECT_EQ(grants(Level::full_access, c.scope), c.full_access) << c.scope.name();
  }
}

TEST(Scopes, NobodyHandsOutMoreThanTheyHave) {
  for (const Level made : kLevels) {
    EXPECT_FALSE(may_hand_out(Level::read_only, made));
    EXPECT_FALSE(may_hand_out(Level::download, made));
    EXPECT_EQ(may_hand_out(Level::admin, made), made != Level::full_access);
    EXPECT_TRUE(may_hand_out(Level::full_access, made));
  }
}

}  // namespace
}  // namespace trawl::access
