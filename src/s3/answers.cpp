#include "s3/answers.h"

#include <pugixml.hpp>
#include <sstream>

#include <fmt/format.h>

namespace trawl::s3 {
namespace {

std::unexpected<Error> unexpected_answer(std::string_view what) {
  return fail(Errc::unavailable, fmt::format("the storage answers without {}", what), "storage_answer");
}

// The root element of that name, or none.
pugi::xml_node root(const pugi::xml_document& document, const char* name) {
  return document.child(name);
}

bool load(pugi::xml_document& document, std::string_view body) {
  return static_cast<bool>(document.load_buffer(body.data(), body.size()));
}

}  // namespace

std::string error_code(std::string_view body) {
  pugi::xml_document document;
  if (!load(document, body)) return {};
  return root(document, "Error").child("Code").text().as_string();
}

Result<std::string> read_upload_id(std::string_view body) {
  pugi::xml_document document;
  if (!load(document, body)) return unexpected_answer("the id of the upload");
  std::string id = root(document, "InitiateMultipartUploadResult").child("UploadId").text().as_string();
  if (id.empty()) return unexpected_answer("the id of the upload");
  return id;
}

Result<void> check_completed(std::string_view body) {
  pugi::xml_document document;
  if (load(document, body) && root(document, "CompleteMultipartUploadResult").child("ETag")) return {};
  return unexpected_answer("saying that the upload is complete");
}

Result<std::vector<std::string>> read_uploads(std::string_view body, std::string_view key) {
  pugi::xml_document document;
  if (!load(document, body) || !root(document, "ListMultipartUploadsResult"))
    return unexpected_answer("a list of uploads");
  std::vector<std::string> out;
  for (const auto& upload : root(document, "ListMultipartUploadsResult").children("Upload")) {
    if (upload.child("Key").text().as_string() == key)
      out.emplace_back(upload.child("UploadId").text().as_string());
  }
  return out;
}

std::string completion(const std::vector<std::string>& etags) {
  pugi::xml_document document;
  auto list = document.append_child("CompleteMultipartUpload");
  for (std::size_t i = 0; i < etags.size(); ++i) {
    auto part = list.append_child("Part");
    part.append_child("PartNumber").text().set(static_cast<unsigned>(i + 1));
    part.append_child("ETag").text().set(etags[i].c_str());
  }
  std::ostringstream out;
  document.save(out, "", pugi::format_raw);
  return out.str();
}

}  // namespace trawl::s3
