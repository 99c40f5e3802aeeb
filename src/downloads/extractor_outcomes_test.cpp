#include "downloads/extractor_outcomes.h"

#include <gtest/gtest.h>

namespace trawl::downloads {
namespace {

TEST(ExtractorOutcomes, BlameTheExtractorOnlyForWhatItCanHelp) {
  EXPECT_EQ(verdict_of(kCompleted), Verdict::completed);
  for (const char* reason : {"extractor_broken", "no_media_found", "engine_crashed", "origin_forbidden"})
    EXPECT_EQ(verdict_of(reason), Verdict::failed) << reason;
  for (const char* reason : {"private", "geo_blocked", "login_required", "removed", "drm", "rate_limited",
                             "live_not_started", "network_error", "disk_full", ""})
    EXPECT_EQ(verdict_of(reason), Verdict::excused) << reason;
}

}  // namespace
}  // namespace trawl::downloads
