#include "remux/input.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace trawl::remux {
namespace {

constexpr std::int64_t kSecond = AV_TIME_BASE;
constexpr std::int64_t kJump = 10 * kSecond;               // dts_delta_threshold
constexpr std::int64_t kImpossible = 3600 * 30 * kSecond;  // dts_error_threshold
constexpr AVRational kMicroseconds{1, AV_TIME_BASE};

// By the names libavformat gives its demuxers.
constexpr const char* kContainers =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,aac,mp3,ogg,flac,wav,flv,ac3,eac3";

std::int64_t micro(std::int64_t time, AVRational base) {
  return av_rescale_q_rnd(time, base, kMicroseconds,
                          static_cast<AVRounding>(AV_ROUND_NEAR_INF | AV_ROUND_PASS_MINMAX));
}

void shift(AVPacket& packet, std::int64_t microseconds, AVRational base) {
  const auto delta = av_rescale_q(microseconds, kMicroseconds, base);
  if (packet.dts != AV_NOPTS_VALUE) packet.dts = av_sat_add64(packet.dts, delta);
  if (packet.pts != AV_NOPTS_VALUE) packet.pts = av_sat_add64(packet.pts, delta);
}

}  // namespace

Result<Input> Input::open(const InputFile& file) {
  Input input;
  input.path_ = file.path;
  auto io = open_for_reading(file.path);
  if (!io) return fail(io.error());
  input.io_ = std::move(*io);

  const bool tags_only = file.format == "ffmetadata";
  if (!tags_only && !file.format.empty())
    return fail(Errc::invalid, fmt::format("'{}' is no format to ask for", file.format));
  AVFormatContext* context = avformat_alloc_context();
  if (!context) return fail(Errc::internal, "out of memory");
  context->pb = input.io_.get();
  context->io_open = [](AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
    return AVERROR(EACCES);
  };
  AVDictionary* options = nullptr;
  av_dict_set(&options, "format_whitelist", tags_only ? "ffmetadata" : kContainers, 0);
  av_dict_set(&options, "scan_all_pmts", "1", 0);
  const int opened = avformat_open_input(&context, nullptr, nullptr, &options);
  av_dict_free(&options);
  if (opened < 0) return av_failure(file.path + " cannot be read as media", opened);
  input.context_.reset(context);
  if (tags_only) return input;

  if (const int found = avformat_find_stream_info(context, nullptr); found < 0)
    return av_failure(file.path + " has no readable streams", found);
  if (context->nb_streams == 0) return fail(Errc::unsupported, file.path + " has no streams");
  input.tracks_.resize(context->nb_streams);
  if (context->start_time != AV_NOPTS_VALUE) input.offset_ = -context->start_time;
  return input;
}

double Input::expected_packets(int stream) const {
  const AVStream& found = *context_->streams[stream];
  if (found.nb_frames > 0) return static_cast<double>(found.nb_frames);
  if (context_->duration == AV_NOPTS_VALUE || context_->duration <= 0) return 0;
  const double seconds = static_cast<double>(context_->duration) / AV_TIME_BASE;
  const AVCodecParameters& codec = *found.codecpar;
  if (codec.codec_type == AVMEDIA_TYPE_VIDEO) {
    const double rate = std::max(av_q2d(found.avg_frame_rate), av_q2d(found.r_frame_rate));
    return std::isfinite(rate) ? seconds * std::min(rate, 1000.0) : 0;
  }
  const int samples = codec.frame_size > 0 ? codec.frame_size : 480;
  return seconds * codec.sample_rate / samples;
}

void Input::keep_only(const std::vector<int>& streams) {
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    tracks_[i].kept = std::ranges::find(streams, static_cast<int>(i)) != streams.end();
    context_->streams[i]->discard = tracks_[i].kept ? AVDISCARD_NONE : AVDISCARD_ALL;
  }
}

Result<bool> Input::read(AVPacket& packet) {
  for (;;) {
    const int got = av_read_frame(context_.get(), &packet);
    if (got == AVERROR(EAGAIN)) continue;
    if (got == AVERROR_EOF) {
      if (context_->pb->error < 0) return av_failure("cannot read " + path_, context_->pb->error);
      if (const auto complete = check_complete(); !complete) return fail(complete.error());
      return false;
    }
    if (got < 0) return av_failure(path_ + " is damaged", got);
    const auto stream = static_cast<std::size_t>(packet.stream_index);
    if (stream < tracks_.size() && tracks_[stream].kept) break;
    av_packet_unref(&packet);  // A stream that was not asked for, or that appeared only now.
  }
  const bool transport = (context_->iformat->flags & AVFMT_TS_DISCONT) != 0;
  if (!transport && (packet.flags & AV_PKT_FLAG_CORRUPT) != 0)
    return fail(Errc::unsupported, path_ + " is damaged or cut short");

  Track& track = tracks_[static_cast<std::size_t>(packet.stream_index)];
  const AVRational base = context_->streams[packet.stream_index]->time_base;
  ++track.packets;
  unwrap(packet, track);
  if (track.packets == 1) {
    if (const auto added = add_side_data(packet); !added) return fail(added.error());
  }
  shift(packet, offset_, base);
  correct_jumps(packet, track);
  if (packet.dts != AV_NOPTS_VALUE) last_ = av_rescale_q(packet.dts, base, kMicroseconds);
  follow(packet, track);
  return true;
}

Result<void> Input::add_side_data(AVPacket& packet) const {
  const AVStream& stream = *context_->streams[packet.stream_index];
  for (int i = 0; i < stream.nb_side_data; ++i) {
    const AVPacketSideData& data = stream.side_data[i];
    if (data.type == AV_PKT_DATA_DISPLAYMATRIX || av_packet_get_side_data(&packet, data.type, nullptr))
      continue;
    auto* copy = av_packet_new_side_data(&packet, data.type, data.size);
    if (!copy) return fail(Errc::internal, "out of memory");
    std::memcpy(copy, data.data, data.size);
  }
  return {};
}

// A clock of 33 bits starts again during the file; the start of the file may lie before that.
void Input::unwrap(AVPacket& packet, Track& track) {
  const AVStream& stream = *context_->streams[packet.stream_index];
  if (track.wrap_corrected || context_->start_time == AV_NOPTS_VALUE || stream.pts_wrap_bits >= 64) return;
  if (track.next_dts == AV_NOPTS_VALUE && offset_ == -context_->start_time &&
      (context_->iformat->flags & AVFMT_TS_DISCONT) != 0) {
    std::int64_t start = INT64_MAX;
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      const AVStream& other = *context_->streams[i];
      if (other.discard == AVDISCARD_ALL || other.start_time == AV_NOPTS_VALUE) continue;
      start = std::min(start, av_rescale_q(other.start_time, other.time_base, kMicroseconds));
    }
    if (start != INT64_MAX && start > context_->start_time) offset_ = -start;
  }
  if (stream.pts_wrap_bits < 1 || stream.pts_wrap_bits > 62) {
    track.wrap_corrected = true;
    return;
  }
  const auto start = av_rescale_q(context_->start_time, kMicroseconds, stream.time_base);
  const auto period = std::int64_t{1} << stream.pts_wrap_bits;
  track.wrap_corrected = true;
  for (auto* time : {&packet.dts, &packet.pts}) {
    if (*time == AV_NOPTS_VALUE || *time <= av_sat_add64(start, period / 2)) continue;
    *time = av_sat_sub64(*time, period);
    track.wrap_corrected = false;
  }
}

void Input::correct_jumps(AVPacket& packet, Track& track) {
  const AVStream& stream = *context_->streams[packet.stream_index];
  const auto type = stream.codecpar->codec_type;
  if ((type != AVMEDIA_TYPE_VIDEO && type != AVMEDIA_TYPE_AUDIO) || packet.dts == AV_NOPTS_VALUE) return;
  const bool transport = (context_->iformat->flags & AVFMT_TS_DISCONT) != 0;
  const auto dts = micro(packet.dts, stream.time_base);
  const auto far = [](std::int64_t delta, std::int64_t limit) { return delta < -limit || delta > limit; };
  std::int64_t jump = 0;
  if (track.next_dts == AV_NOPTS_VALUE) {
    if (transport && last_ != AV_NOPTS_VALUE && far(av_sat_sub64(dts, last_), kJump))
      jump = av_sat_sub64(dts, last_);
  } else if (transport) {
    const auto delta = av_sat_sub64(dts, track.next_dts);
    if (far(delta, kJump) || av_sat_add64(dts, kSecond / 10) < track.dts) jump = delta;
  } else {
    if (far(av_sat_sub64(dts, track.next_dts), kImpossible)) packet.dts = AV_NOPTS_VALUE;
    if (packet.pts != AV_NOPTS_VALUE &&
        far(av_sat_sub64(av_rescale_q(packet.pts, stream.time_base, kMicroseconds), track.next_dts),
            kImpossible))
      packet.pts = AV_NOPTS_VALUE;
  }
  if (jump == 0) return;
  offset_ = av_sat_sub64(offset_, jump);
  shift(packet, av_sat_sub64(0, jump), stream.time_base);
}

// Keeps count of where the stream's clock stands and where its next packet is expected.
void Input::follow(const AVPacket& packet, Track& track) {
  const AVStream& stream = *context_->streams[packet.stream_index];
  const AVCodecParameters& codec = *stream.codecpar;
  if (!track.started) {
    track.started = true;
    track.dts = stream.avg_frame_rate.num > 0 && stream.avg_frame_rate.den > 0
                    ? static_cast<std::int64_t>(-codec.video_delay * kSecond / av_q2d(stream.avg_frame_rate))
                    : 0;
    if (packet.pts != AV_NOPTS_VALUE)
      track.dts = av_sat_add64(track.dts, av_rescale_q(packet.pts, stream.time_base, kMicroseconds));
  }
  if (track.next_dts == AV_NOPTS_VALUE) track.next_dts = track.dts;
  if (packet.dts != AV_NOPTS_VALUE)
    track.next_dts = av_rescale_q(packet.dts, stream.time_base, kMicroseconds);
  track.dts = track.next_dts;
  if (codec.codec_type == AVMEDIA_TYPE_AUDIO && codec.sample_rate > 0) {
    track.next_dts = av_sat_add64(track.next_dts, kSecond * codec.frame_size / codec.sample_rate);
  } else if (packet.duration > 0) {
    track.next_dts =
        av_sat_add64(track.next_dts, av_rescale_q(packet.duration, stream.time_base, kMicroseconds));
  } else if (codec.codec_type == AVMEDIA_TYPE_VIDEO && stream.avg_frame_rate.num > 0) {
    const auto* parser = av_stream_get_parser(&stream);
    const std::int64_t ticks = parser ? std::max(0, parser->repeat_pict) + std::int64_t{1} : 1;
    track.next_dts = av_sat_add64(
        track.next_dts, av_rescale(kSecond * ticks, stream.avg_frame_rate.den, stream.avg_frame_rate.num));
  }
}

// The index of an MP4 file names every packet; libavformat ends quietly where the file does.
Result<void> Input::check_complete() const {
  if (!std::strstr(context_->iformat->name, "mp4")) return {};
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const auto promised = avformat_index_get_entries_count(context_->streams[i]);
    if (tracks_[i].kept && tracks_[i].packets < promised)
      return fail(Errc::unsupported, fmt::format("{} is cut short: stream {} has {} of {} packets", path_, i,
                                                 tracks_[i].packets, promised));
  }
  return {};
}

}  // namespace trawl::remux
