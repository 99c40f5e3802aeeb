#pragma once

#include <string>
#include <vector>

#include "base/describe.h"
#include "base/json.h"

namespace trawl::remux {

struct InputFile {
  std::string path;
  std::string format;  // "ffmetadata" for a file of chapters and tags; empty: found from the content.
};
BOOST_DESCRIBE_STRUCT(InputFile, (), (path, format))

// Streams of one input to copy, in the order of the output.
struct Selection {
  std::int64_t input = 0;
  std::string type;         // "audio" or "video"; empty: every stream.
  std::int64_t index = -1;  // The how many-th of that type; negative: all of them.
};
BOOST_DESCRIBE_STRUCT(Selection, (), (input, type, index))

struct Tag {
  std::int64_t stream = -1;  // Of the output; negative: the file.
  std::string key, value;    // An empty value takes the tag away.
};
BOOST_DESCRIBE_STRUCT(Tag, (), (stream, key, value))

// A file to make from the streams of others, without decoding any.
struct CopyRequest {
  std::vector<InputFile> inputs;
  std::string output;
  std::string container;  // "mp4", "m4a", "mov", "mkv" or "webm".
  std::vector<Selection> map;
  bool drop_video = false;
  bool drop_unknown = false;   // Data streams and those of unknown type are left out instead of refused.
  std::int64_t tags_from = 0;  // The input whose tags the file gets.
  std::vector<Tag> tags;
  bool faststart = true;
};
BOOST_DESCRIBE_STRUCT(CopyRequest, (),
                      (inputs, output, container, map, drop_video, drop_unknown, tags_from, tags, faststart))

// One of the two.
struct Request {
  std::optional<CopyRequest> copy;
  std::optional<InputFile> probe;
};
BOOST_DESCRIBE_STRUCT(Request, (), (copy, probe))

[[nodiscard]] Result<Request> parse_request(std::string_view text);

}  // namespace trawl::remux
