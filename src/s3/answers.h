#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// What the bodies of answers say. A body that is no document, or not the expected one, is
// Errc::unavailable ("storage_answer"): it was cut off on its way, or comes from something between.
namespace trawl::s3 {

// The code of an <Error>, such as "SlowDown"; empty when the body is none.
[[nodiscard]] std::string error_code(std::string_view body);

// Of InitiateMultipartUploadResult.
[[nodiscard]] Result<std::string> read_upload_id(std::string_view body);
// Checks a CompleteMultipartUploadResult. The status was 200 before the work began, so the body may as well
// be an error.
[[nodiscard]] Result<void> check_completed(std::string_view body);
// Of ListMultipartUploadsResult: the ids of uploads to exactly `key`.
[[nodiscard]] Result<std::vector<std::string>> read_uploads(std::string_view body, std::string_view key);

// The body of CompleteMultipartUpload: the parts' ETags in order, from number 1 on.
[[nodiscard]] std::string completion(const std::vector<std::string>& etags);

}  // namespace trawl::s3
