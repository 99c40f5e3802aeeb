#pragma once

#include "api/paging.h"
#include "api/queries.h"
#include "api/views.h"

namespace trawl::api {

// A stored file with the names that the first and the third project give to it.
struct StoredView : ArtifactView {
  std::string name, path;  // As filename and file_path.
  std::int64_t size = 0;   // As size_bytes.
  std::string job_id;      // The download it came from; the upload, of a file somebody brought.
  SystemTime created, modified;
  SystemTime checked;                                        // When it was hashed last,
  storage::Integrity integrity = storage::Integrity::sound;  // and what that showed.
  bool is_download = true;
};
BOOST_DESCRIBE_STRUCT(StoredView, (ArtifactView),
                      (name, path, size, job_id, created, modified, checked, integrity, is_download))

struct StoredListView : PageNumbers {
  std::vector<StoredView> files;
  std::int64_t total = 0, total_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(StoredListView, (PageNumbers), (files, total, total_bytes))

struct FilesView {
  std::string id, job_id, request_id;  // All the same.
  std::string status;
  std::vector<ArtifactView> files, results;  // The same.
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(FilesView, (), (id, job_id, request_id, status, files, results, total))

[[nodiscard]] StoredView stored_view(const storage::Artifact& artifact, const ViewContext& context);

// Which files are listed.
struct PrefixQuery {
  std::optional<std::string> path;
};
BOOST_DESCRIBE_STRUCT(PrefixQuery, (), (path))

// What a file that is brought is to be called.
struct UploadQuery {
  std::optional<std::string> path, filename;
};
BOOST_DESCRIBE_STRUCT(UploadQuery, (), (path, filename))

struct FilenameQuery {
  std::string filename;
};
BOOST_DESCRIBE_STRUCT(FilenameQuery, (), (filename))

// The contract of a route that gives a file out.
template <class... Queries>
[[nodiscard]] http::Contract serving() {
  return {.body = http::Body::none(),
          .query = http::Query::of<Queries...>(),
          .answers = http::Answers::bytes(200, "*/*", "The file.")
                         .or_bytes(206, "*/*", "The part that Range asked for, or several.")
                         .or_empty(302, "Where the file is given out, when it is kept in a bucket.")
                         .or_empty(304, "The file is the one the caller has."),
          .refusals = http::Refusals::of(
              {{403, http::kAnyCode}, {404, "not_found"}, {412, http::kAnyCode}, {416, http::kAnyCode}}),
          .headers = {std::begin(kRangeHeaders), std::end(kRangeHeaders)}};
}

}  // namespace trawl::api

template <>
struct trawl::Rules<trawl::api::PrefixQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "path", .doc = "Only files whose path begins so.", .example = "\"videos/\""}};
};
template <>
struct trawl::Rules<trawl::api::UploadQuery> {
  static constexpr FieldRule fields[] = {
      {.name = "path", .doc = "Where the file is to be found.", .example = "\"family/holiday.mp4\""},
      {.name = "filename", .doc = "Its name under uploads/, in place of `path` and of the form's."}};
};
template <>
struct trawl::Rules<trawl::api::FilenameQuery> {
  static constexpr FieldRule fields[] = {{.name = "filename",
                                          .doc = "The file's `file_path`.",
                                          .min = 1,
                                          .max = 1024,
                                          .required = true,
                                          .example = "\"videos/Title-1.mp4\""}};
};
template <>
struct trawl::Example<trawl::api::StoredView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::StoredListView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::FilesView> {
  static json::value make();
};
