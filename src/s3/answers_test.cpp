#include "s3/answers.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace trawl::s3 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kNamespace = R"(xmlns="http://s3.amazonaws.com/doc/2006-03-01/")";

TEST(Answers, TellErrorsByTheirCode) {
  EXPECT_EQ(error_code("<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>x</Message></Error>"),
            "SlowDown");
  EXPECT_EQ(error_code("<html>Bad gateway</html>"), "");
  EXPECT_EQ(error_code("<Error><Code>Slow"), "");
  EXPECT_EQ(error_code(""), "");
}

TEST(Answers, GiveTheIdOfAnUpload) {
  const std::string whole = fmt::format(
      "<InitiateMultipartUploadResult {}><Bucket>b</Bucket><UploadId>2~x</UploadId>"
      "</InitiateMultipartUploadResult>",
      kNamespace);
  EXPECT_EQ(read_upload_id(whole), "2~x");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_upload_id(whole.substr(0, size))) << "cut off after " << size;
}

TEST(Answers, DoNotTakeAnErrorWithStatus200ForACompletion) {
  EXPECT_TRUE(
      check_completed("<CompleteMultipartUploadResult><ETag>\"x-2\"</ETag></CompleteMultipartUploadResult>"));
  EXPECT_FALSE(check_completed("<Error><Code>InternalError</Code></Error>"));
  EXPECT_FALSE(check_completed("<CompleteMultipartUploadResult><ETag>\"x-"));
  EXPECT_FALSE(check_completed(""));
}

TEST(Answers, ListUploadsOfOneKeyOnly) {
  const auto ids = read_uploads(
      "<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>1</UploadId></Upload>"
      "<Upload><Key>ab</Key><UploadId>2</UploadId></Upload>"
      "<Upload><Key>a</Key><UploadId>3</UploadId></Upload></ListMultipartUploadsResult>",
      "a");
  ASSERT_TRUE(ids);
  EXPECT_THAT(*ids, ElementsAre("1", "3"));
  EXPECT_FALSE(read_uploads("<Error/>", "a"));
}

TEST(Completion, NumbersPartsFromOne) {
  const std::string body = completion({"\"a\"", "\"b\""});
  EXPECT_THAT(body, HasSubstr("<Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>"
                              "<Part><PartNumber>2</PartNumber><ETag>\"b\"</ETag></Part>"));
}

}  // namespace
}  // namespace trawl::s3
