#pragma once

#include "base/json.h"
#include "remux/request.h"

namespace trawl::remux {

// Writes the output, or leaves none. The answer is {duration, streams: [{type, codec}]}.
//
// Nothing is decoded: Errc::unsupported says that this needs the ffmpeg program, Errc::no_space
// that the disk is full.
[[nodiscard]] Result<json::object> copy(const CopyRequest& request);

// What ffprobe says under -show_format and -show_streams, as far as yt-dlp reads it.
[[nodiscard]] Result<json::object> probe(const InputFile& file);

}  // namespace trawl::remux
