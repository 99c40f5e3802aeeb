#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/message.h"

namespace trawl::http {

// What stands before a part of a form (RFC 7578).
struct PartHead {
  std::string name;
  std::optional<std::string> filename;  // Only for files.
  std::string content_type;
};

// Reads multipart/form-data while it arrives, and holds no more of it than a few pieces.
class MultipartReader {
 public:
  // `boundary` as form_boundary() gives it.
  MultipartReader(std::shared_ptr<BodySource> source, std::string boundary)
      : source_(std::move(source)), delimiter_("\r\n--" + std::move(boundary)), buffer_("\r\n") {}

  // The next part, nothing after the last one; what was not read of the one before it is skipped.
  // Errc::invalid when the form is malformed, and the errors of BodySource.
  [[nodiscard]] Task<Result<std::optional<PartHead>>> next_part();
  // The next bytes of the part, nothing at its end.
  [[nodiscard]] Task<Result<std::optional<std::string>>> next_data();

 private:
  // Gets more bytes; fails at the end of the body.
  [[nodiscard]] Task<Result<void>> fill();

  std::shared_ptr<BodySource> source_;
  std::string delimiter_;
  std::string buffer_;   // The first delimiter has no line end before it but for this one.
  bool in_part_ = true;  // At the beginning: in what comes before the first part.
};

// The boundary of a Content-Type value "multipart/form-data; boundary=..."; nothing for other types and for
// boundaries RFC 2046 does not allow.
[[nodiscard]] std::optional<std::string> form_boundary(std::string_view content_type);

}  // namespace trawl::http
