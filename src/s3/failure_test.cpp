#include "s3/failure.h"

#include <gtest/gtest.h>

namespace trawl::s3 {
namespace {

struct Case {
  long status;
  const char* code;
  After after;
  Errc error;
};

TEST(Failure, IsJudgedByStatusAndCode) {
  for (const auto& [status, code, after, error] :
       {Case{500, "InternalError", After::again, Errc::unavailable},
        Case{503, "SlowDown", After::again_slower, Errc::unavailable},
        Case{503, "", After::again, Errc::unavailable}, Case{429, "", After::again_slower, Errc::unavailable},
        Case{200, "InternalError", After::again, Errc::unavailable},
        Case{200, "SlowDown", After::again_slower, Errc::unavailable},
        Case{400, "RequestTimeout", After::again, Errc::unavailable},
        Case{400, "XAmzContentSHA256Mismatch", After::again, Errc::unavailable},
        Case{400, "ExpiredToken", After::new_keys, Errc::unavailable},
        Case{403, "AccessDenied", After::give_up, Errc::unavailable},
        Case{403, "SignatureDoesNotMatch", After::give_up, Errc::unavailable},
        Case{404, "NoSuchBucket", After::give_up, Errc::unavailable},
        Case{404, "NoSuchUpload", After::give_up, Errc::not_found},
        Case{404, "", After::give_up, Errc::not_found},
        Case{400, "InvalidPart", After::give_up, Errc::unavailable},
        Case{301, "PermanentRedirect", After::give_up, Errc::unavailable}}) {
    const Failure failure = judge_answer(status, code, "store a file");
    EXPECT_EQ(failure.after, after) << status << code;
    EXPECT_EQ(failure.error.code, error) << status << code;
    EXPECT_EQ(failure.code, code);
  }
  EXPECT_EQ(judge_connection("timeout", "store a file").after, After::again);
}

TEST(Delay, DoublesIsSpreadAndHasAnEnd) {
  EXPECT_EQ(delay_after(1, After::again, 0.0).count(), 10);
  EXPECT_EQ(delay_after(1, After::again, 1.0).count(), 100);
  EXPECT_EQ(delay_after(3, After::again, 1.0).count(), 400);
  EXPECT_EQ(delay_after(3, After::again_slower, 1.0).count(), 2000);
  EXPECT_EQ(delay_after(30, After::again, 1.0).count(), 8000);
}

}  // namespace
}  // namespace trawl::s3
