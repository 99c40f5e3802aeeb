#pragma once

#include <string>
#include <vector>

#include "remux/av.h"
#include "remux/file_io.h"
#include "remux/request.h"

namespace trawl::remux {

struct ContextCloser {
  void operator()(AVFormatContext* context) const { avformat_close_input(&context); }
};

// One file, read packet by packet with its clock corrected: it starts at zero, and jumps of a
// transport stream's clock are taken out, by the rules of the ffmpeg program, so that the result is
// what that makes of the same file.
class Input {
 public:
  // Errc::unsupported for what is no media file of a known kind; nothing but plain containers is
  // tried, never a playlist.
  [[nodiscard]] static Result<Input> open(const InputFile& file);

  [[nodiscard]] AVFormatContext& context() const { return *context_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Where the file's clock begins, in microseconds.
  [[nodiscard]] std::int64_t start() const { return av_sat_sub64(0, offset_); }

  // How many packets a stream has, or about so many; 0 when nothing says.
  [[nodiscard]] double expected_packets(int stream) const;
  [[nodiscard]] std::int64_t bytes() const { return avio_size(io_.get()); }

  // Packets of other streams are skipped from now on.
  void keep_only(const std::vector<int>& streams);

  // The next packet of a kept stream; false at the end of the file. Fails when the file is cut short
  // or damaged.
  [[nodiscard]] Result<bool> read(AVPacket& packet);

  // The decoding time of the packet read last, for a packet that has none, in microseconds.
  [[nodiscard]] std::int64_t decoding_time(int stream) const {
    return tracks_[static_cast<std::size_t>(stream)].dts;
  }
  [[nodiscard]] std::int64_t& audio_rounding(int stream) {
    return tracks_[static_cast<std::size_t>(stream)].audio_rounding;
  }

 private:
  struct Track {
    std::int64_t dts = 0, next_dts = AV_NOPTS_VALUE;  // Microseconds.
    std::int64_t audio_rounding = AV_NOPTS_VALUE;
    std::int64_t packets = 0;
    bool wrap_corrected = false, started = false, kept = false;
  };

  Input() = default;
  [[nodiscard]] Result<void> add_side_data(AVPacket& packet) const;
  void unwrap(AVPacket& packet, Track& track);
  void correct_jumps(AVPacket& packet, Track& track);
  void follow(const AVPacket& packet, Track& track);
  [[nodiscard]] Result<void> check_complete() const;

  std::string path_;
  FileIo io_;
  std::unique_ptr<AVFormatContext, ContextCloser> context_;
  std::vector<Track> tracks_;
  std::int64_t offset_ = 0;  // Microseconds, added to every time.
  std::int64_t last_ = AV_NOPTS_VALUE;
};

}  // namespace trawl::remux
