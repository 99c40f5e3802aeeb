#include "http/multipart.h"

#include "base/text.h"
#include "http/detail/field_value.h"

namespace trawl::http {
namespace {

constexpr std::size_t kMostHead = 8 << 10;
constexpr std::size_t kMostBoundary = 70;

std::unexpected<Error> malformed(std::string message) {
  return fail(Errc::invalid, "the form is malformed: " + std::move(message), "bad_request");
}

// The value of `name` among the parameters of a field value; quoted ones without their quotes. By RFC 9110
// (boost::beast::http::param_list) a backslash makes the next character plain, but browsers write those of
// file names as they are, so only one before a quote or a backslash counts.
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  for (std::size_t at = value.find(';'); at != std::string_view::npos;) {
    std::size_t equals = value.find('=', at + 1);
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view found = trim(value.substr(at + 1, equals - at - 1));
    std::string text;
    std::size_t end = equals + 1;
    if (end < value.size() && value[end] == '"') {
      for (++end; end < value.size() && value[end] != '"'; ++end) {
        if (value[end] == '\\' && end + 1 < value.size() && (value[end + 1] == '"' || value[end + 1] == '\\'))
          ++end;
        text += value[end];
      }
    } else {
      end = std::min(value.find(';', end), value.size());
      text = trim(value.substr(equals + 1, end - equals - 1));
    }
    if (detail::same_token(found, name)) return text;
    at = value.find(';', end);
  }
  return std::nullopt;
}

Result<PartHead> parse_head(std::string_view head) {
  PartHead out;
  bool disposed = false;
  for (const std::string_view line : split(head, '\n')) {
    const auto colon = line.find(':');
    if (trim(line).empty()) continue;
    if (colon == std::string_view::npos) return malformed("a part's header has a line without a colon");
    const std::string_view name = trim(line.substr(0, colon)), value = trim(line.substr(colon + 1));
    if (detail::same_token(name, "Content-Type")) out.content_type = value;
    if (!detail::same_token(name, "Content-Disposition")) continue;
    const auto field = parameter(value, "name");
    if (!field || !detail::same_token(trim(value.substr(0, value.find(';'))), "form-data"))
      return malformed("a part has no name");
    disposed = true;
    out.name = *field;
    out.filename = parameter(value, "filename");
  }
  if (!disposed) return malformed("a part has no Content-Disposition");
  return out;
}

}  // namespace

Task<Result<void>> MultipartReader::fill() {
  auto more = co_await source_->next();
  if (!more) co_return fail(more.error());
  if (!*more) co_return malformed("it ends before its last boundary");
  buffer_ += **more;
  co_return Result<void>();
}

Task<Result<std::optional<std::string>>> MultipartReader::next_data() {
  while (in_part_) {
    const auto end = buffer_.find(delimiter_);
    if (end != std::string::npos) {
      std::string data = buffer_.substr(0, end);
      buffer_.erase(0, end + delimiter_.size());
      in_part_ = false;
      if (data.empty()) break;
      co_return data;
    }
    // The end of what is here may be the beginning of the delimiter.
    if (buffer_.size() >= delimiter_.size()) {
      const std::size_t sure = buffer_.size() - delimiter_.size() + 1;
      std::string data = buffer_.substr(0, sure);
      buffer_.erase(0, sure);
      co_return data;
    }
    if (auto filled = co_await fill(); !filled) co_return fail(filled.error());
  }
  co_return std::nullopt;
}

Task<Result<std::optional<PartHead>>> MultipartReader::next_part() {
  while (in_part_) {
    if (auto skipped = co_await next_data(); !skipped) co_return fail(skipped.error());
  }
  while (buffer_.size() < 2) {
    if (auto filled = co_await fill(); !filled) co_return fail(filled.error());
  }
  if (buffer_.starts_with("--")) {
    while (true) {  // What comes after the form is of no interest, but belongs to the body.
      const auto rest = co_await source_->next();
      if (!rest) co_return fail(rest.error());
      if (!*rest) co_return std::nullopt;
    }
  }
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > kMostHead) co_return malformed("a part's header is too long");
    if (auto filled = co_await fill(); !filled) co_return fail(filled.error());
  }
  if (!buffer_.starts_with("\r\n") || end > kMostHead)
    co_return malformed("a boundary is not alone on its line");
  if (end < 2) co_return malformed("a part has no Content-Disposition");
  auto head = parse_head(std::string_view(buffer_).substr(2, end - 2));
  if (!head) co_return fail(head.error());
  buffer_.erase(0, end + 4);
  in_part_ = true;
  co_return std::optional(std::move(*head));
}

std::optional<std::string> form_boundary(std::string_view content_type) {
  if (!detail::same_token(trim(content_type.substr(0, content_type.find(';'))), "multipart/form-data"))
    return std::nullopt;
  auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMostBoundary) return std::nullopt;
  for (const char c : *boundary) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) return std::nullopt;
  }
  return boundary;
}

}  // namespace trawl::http
