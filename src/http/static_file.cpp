#include "http/static_file.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "http/detail/field_value.h"
#include "http/http_date.h"
#include "http/range.h"

namespace trawl::http {
namespace {

std::chrono::sys_seconds modified_second(const FileFacts& file) {
  return std::chrono::floor<std::chrono::seconds>(file.modified);
}

std::string quoted_etag(const FileFacts& file) {
  return file.etag.empty() ? std::string() : '"' + file.etag + '"';
}

// Whether an If-Match or If-None-Match list names `etag`, which is strong and quoted. Opaque tags hold
// no quotes, so the list can be walked from quote to quote.
bool names_etag(std::string_view list, std::string_view etag, bool weak_counts) {
  if (trim(list) == "*") return true;
  if (etag.empty()) return false;
  for (std::size_t at = list.find('"'); at != std::string_view::npos;) {
    const auto end = list.find('"', at + 1);
    if (end == std::string_view::npos) return false;
    const bool weak = at >= 2 && list.substr(at - 2, 2) == "W/";
    if (list.substr(at, end + 1 - at) == etag && (weak_counts || !weak)) return true;
    at = list.find('"', end + 1);
  }
  return false;
}

// RFC 9110 13.2.2, steps 1 and 2.
bool precondition_fails(const Request& request, const FileFacts& file) {
  if (const auto tags = request.headers.find("If-Match")) return !names_etag(*tags, quoted_etag(file), false);
  const auto since = parse_http_date(request.headers.find("If-Unmodified-Since").value_or(""));
  return since && modified_second(file) > *since;
}

// Steps 3 and 4: If-Modified-Since counts only without If-None-Match.
bool not_modified(const Request& request, const FileFacts& file) {
  if (const auto tags = request.headers.find("If-None-Match"))
    return names_etag(*tags, quoted_etag(file), true);
  const auto since = parse_http_date(request.headers.find("If-Modified-Since").value_or(""));
  return since && modified_second(file) <= *since;
}

// Step 5: a range is for the file the client has seen, else it gets the whole new one.
bool range_is_current(const Request& request, const FileFacts& file) {
  const auto validator = request.headers.find("If-Range");
  if (!validator) return true;
  if (validator->contains('"')) return !file.etag.empty() && *validator == quoted_etag(file);
  return parse_http_date(*validator) == modified_second(file);
}

std::string disposition(const FileFacts& file) {
  const std::string name =
      to_valid_utf8(file.download_name.empty() ? file.path.filename().string() : file.download_name);
  std::string plain;
  bool exact = true;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    // One mark for each character, not for each byte; "%" would be decoded by some browsers.
    if ((byte & 0xc0) == 0x80) continue;
    const bool kept = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '%' && c != '/';
    plain += kept ? c : '_';
    exact = exact && kept;
  }
  std::string value = fmt::format("{}; filename=\"{}\"", file.inline_view ? "inline" : "attachment", plain);
  if (!exact) value += "; filename*=UTF-8''" + percent_encode(name);
  return value;
}

Response with_validators(int status, const FileFacts& file) {
  Response response{.status = status, .headers = {}, .body = {}};
  response.headers.set("Accept-Ranges", "bytes");
  response.headers.set("Last-Modified", to_http_date(modified_second(file)));
  if (!file.etag.empty()) response.headers.set("ETag", quoted_etag(file));
  return response;
}

Response with_content(const FileFacts& file, const RangeAnswer& range) {
  const bool part = range.kind == RangeAnswer::Kind::part;
  Response response = with_validators(part ? 206 : 200, file);
  response.headers.set("Content-Type", file.mime_type.empty() ? mime_type_of(file.path) : file.mime_type);
  response.headers.set("Content-Disposition", disposition(file));
  if (part)
    response.headers.set("Content-Range", fmt::format("bytes {}-{}/{}", range.first, range.last, file.size));
  response.body = part ? FileBody{file.path, range.first, range.last - range.first + 1}
                       : FileBody{file.path, 0, file.size};
  return response;
}

}  // namespace

Response serve_file(const Request& request, const FileFacts& file) {
  if (precondition_fails(request, file)) {
    return error_response(request, 412, "precondition_failed",
                          "the file is not the one the request is about");
  }
  if (not_modified(request, file)) return with_validators(304, file);

  RangeAnswer range;
  const auto asked = request.headers.find("Range");
  if (asked && request.method == "GET" && range_is_current(request, file))
    range = answer_range(*asked, file.size);
  if (range.kind == RangeAnswer::Kind::unsatisfiable) {
    Response response = error_response(request, 416, "range_not_satisfiable",
                                       fmt::format("the file has {} bytes", file.size));
    response.headers.set("Accept-Ranges", "bytes");
    response.headers.set("Content-Range", fmt::format("bytes */{}", file.size));
    return response;
  }
  return with_content(file, range);
}

}  // namespace trawl::http
