#pragma once

#include <memory>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/common.h>
}

#include "base/result.h"

namespace trawl::remux {

struct PacketDeleter {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
using Packet = std::unique_ptr<AVPacket, PacketDeleter>;

// `code` is a negative result of a function of libav; ENOSPC and ENOMEM keep their meaning.
[[nodiscard]] std::unexpected<Error> av_failure(const std::string& what, int code);

}  // namespace trawl::remux
