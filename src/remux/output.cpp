#include "remux/output.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>

namespace trawl::remux {
namespace {

constexpr AVRational kMicroseconds{1, AV_TIME_BASE};

// The names of files and those of muxers.
constexpr std::array<std::pair<std::string_view, const char*>, 5> kMuxers{
    {{"mp4", "mp4"}, {"m4a", "ipod"}, {"mov", "mov"}, {"mkv", "matroska"}, {"webm", "webm"}}};

// Keeps the input's code for the codec where the container knows it, else lets the muxer choose.
std::uint32_t codec_tag(const AVOutputFormat& format, const AVCodecParameters& codec) {
  unsigned int other = 0;
  if (!format.codec_tag || av_codec_get_id(format.codec_tag, codec.codec_tag) == codec.codec_id ||
      !av_codec_get_tag2(format.codec_tag, codec.codec_id, &other))
    return codec.codec_tag;
  return 0;
}

Result<void> copy_side_data(const AVStream& from, AVStream& to) {
  for (int i = 0; i < from.nb_side_data; ++i) {
    const AVPacketSideData& data = from.side_data[i];
    auto* copy = av_stream_new_side_data(&to, data.type, data.size);
    if (!copy) return fail(Errc::internal, "out of memory");
    std::memcpy(copy, data.data, data.size);
  }
  return {};
}

void copy_video_shape(const AVStream& from, AVStream& to) {
  to.sample_aspect_ratio = to.codecpar->sample_aspect_ratio =
      from.sample_aspect_ratio.num ? from.sample_aspect_ratio : from.codecpar->sample_aspect_ratio;
  to.avg_frame_rate = from.avg_frame_rate;
  to.r_frame_rate = from.r_frame_rate;
}

void fix_block_align(AVCodecParameters& codec) {
  const auto align = codec.block_align;
  if ((codec.codec_id == AV_CODEC_ID_MP3 && (align == 1 || align == 576 || align == 1152)) ||
      codec.codec_id == AV_CODEC_ID_AC3)
    codec.block_align = 0;
}

// The muxer reopens what it wrote to put its index in front; it may open nothing else.
int open_again(AVFormatContext* context, AVIOContext** io, const char* url, int flags, AVDictionary**) {
  if ((flags & AVIO_FLAG_WRITE) != 0 || !context->url || std::strcmp(url, context->url) != 0)
    return AVERROR(EACCES);
  auto file = open_for_reading(url);
  if (!file) return AVERROR(EIO);
  *io = file->release();
  return 0;
}

int close_again(AVFormatContext*, AVIOContext* io) {
  FileIoCloser{}(io);
  return 0;
}

}  // namespace

Result<Output> Output::make(const CopyRequest& request) {
  const auto* muxer = std::ranges::find(kMuxers, std::string_view(request.container),
                                        [](const auto& pair) { return pair.first; });
  if (muxer == kMuxers.end())
    return fail(Errc::invalid, fmt::format("no container is called '{}'", request.container));
  Output output;
  AVFormatContext* context = nullptr;
  if (const int made =
          avformat_alloc_output_context2(&context, nullptr, muxer->second, request.output.c_str());
      made < 0)
    return av_failure("cannot write " + request.container, made);
  output.context_.reset(context);
  output.faststart_ = request.faststart;
  auto io = open_for_writing(request.output);
  if (!io) return fail(io.error());
  output.path_ = request.output;
  output.io_ = std::move(*io);
  context->pb = output.io_.get();
  context->flags |= AVFMT_FLAG_CUSTOM_IO;
  context->io_open = open_again;
  context->io_close2 = close_again;
  return output;
}

Output::~Output() {
  if (context_ && !finished_ && !path_.empty()) ::unlink(path_.c_str());
}

bool Output::takes(AVCodecID codec) const {
  // The tables of MP4 and Matroska are complete; other answers (AVERROR_PATCHWELCOME) mean "ask the muxer".
  return avformat_query_codec(context_->oformat, codec, FF_COMPLIANCE_NORMAL) != 0;
}

Result<void> Output::add_stream(Input& source, std::size_t input, int stream) {
  const AVStream& from = *source.context().streams[stream];
  const auto type = from.codecpar->codec_type;
  const char* codec_name = avcodec_get_name(from.codecpar->codec_id);
  const bool known = type == AVMEDIA_TYPE_VIDEO || type == AVMEDIA_TYPE_AUDIO;
  if (!known || from.codecpar->codec_id == AV_CODEC_ID_NONE ||
      (from.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0 || !takes(from.codecpar->codec_id)) {
    const char* type_name = av_get_media_type_string(type);
    return fail(Errc::unsupported,
                fmt::format("stream {} of {} ({} {}) is not copied into {}", stream, source.path(),
                            type_name ? type_name : "unknown", codec_name, context_->oformat->name));
  }
  AVStream* to = avformat_new_stream(context_.get(), nullptr);
  if (!to || avcodec_parameters_copy(to->codecpar, from.codecpar) < 0)
    return fail(Errc::internal, "out of memory");
  to->codecpar->codec_tag = codec_tag(*context_->oformat, *from.codecpar);
  if (const int moved =
          avformat_transfer_internal_stream_timing_info(context_->oformat, to, &from, AVFMT_TBCF_AUTO);
      moved < 0)
    return av_failure("cannot take over the clock of " + source.path(), moved);
  if (to->time_base.num <= 0 || to->time_base.den <= 0)
    to->time_base = av_add_q(av_stream_get_codec_timebase(to), {0, 1});
  if (from.duration > 0) to->duration = av_rescale_q(from.duration, from.time_base, to->time_base);
  to->disposition = from.disposition;
  if (const auto copied = copy_side_data(from, *to); !copied) return fail(copied.error());
  if (type == AVMEDIA_TYPE_VIDEO) copy_video_shape(from, *to);
  if (type == AVMEDIA_TYPE_AUDIO) fix_block_align(*to->codecpar);
  av_dict_copy(&to->metadata, from.metadata, AV_DICT_DONT_OVERWRITE);
  tracks_.push_back({.source = &source, .input = input, .stream = stream});
  return {};
}

void Output::choose_defaults() {
  for (const auto type : {AVMEDIA_TYPE_VIDEO, AVMEDIA_TYPE_AUDIO}) {
    std::vector<AVStream*> same;
    for (unsigned i = 0; i < context_->nb_streams; ++i) {
      if (context_->streams[i]->codecpar->codec_type == type) same.push_back(context_->streams[i]);
    }
    const auto marked = [](const AVStream* stream) {
      return (stream->disposition & AV_DISPOSITION_DEFAULT) != 0;
    };
    if (same.size() > 1 && std::ranges::none_of(same, marked))
      same.front()->disposition |= AV_DISPOSITION_DEFAULT;
  }
}

void Output::copy_chapters(const Input& source) {
  const AVFormatContext& from = source.context();
  auto** chapters = static_cast<AVChapter**>(av_calloc(std::max(1U, from.nb_chapters), sizeof(AVChapter*)));
  if (!chapters) return;
  context_->chapters = chapters;
  for (unsigned i = 0; i < from.nb_chapters; ++i) {
    const AVChapter& chapter = *from.chapters[i];
    const auto start = av_rescale_q(source.start(), kMicroseconds, chapter.time_base);
    if (chapter.end < start) continue;
    auto* copy = static_cast<AVChapter*>(av_mallocz(sizeof(AVChapter)));
    if (!copy) return;
    copy->id = chapter.id;
    copy->time_base = chapter.time_base;
    copy->start = std::max<std::int64_t>(0, av_sat_sub64(chapter.start, start));
    copy->end = av_sat_sub64(chapter.end, start);
    av_dict_copy(&copy->metadata, chapter.metadata, 0);
    chapters[context_->nb_chapters++] = copy;
  }
}

void Output::set_tags(const std::vector<Tag>& tags) {
  for (const auto& tag : tags) {
    if (tag.stream >= static_cast<std::int64_t>(context_->nb_streams)) continue;
    auto& place = tag.stream < 0 ? context_->metadata : context_->streams[tag.stream]->metadata;
    av_dict_set(&place, tag.key.c_str(), tag.value.empty() ? nullptr : tag.value.c_str(), 0);
  }
}

Result<void> Output::begin(std::int64_t room) {
  AVDictionary* options = nullptr;
  room_ = faststart_ ? room : 0;
  if (room_ > 0)
    av_dict_set_int(&options, "moov_size", room_, 0);
  else if (faststart_)
    av_dict_set(&options, "movflags", "+faststart", 0);
  const int begun = avformat_write_header(context_.get(), &options);
  av_dict_free(&options);
  if (begun < 0) return av_failure("cannot begin the output", begun);
  return {};
}

void Output::rescale(AVPacket& packet, Track& track, const AVStream& from, const AVStream& to) {
  const AVRational base = from.time_base;
  const bool audio = to.codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
  if (packet.dts == AV_NOPTS_VALUE) {
    packet.dts = av_rescale_q(track.source->decoding_time(track.stream), kMicroseconds, base);
  } else if (audio && from.codecpar->sample_rate > 0) {
    int samples = av_get_audio_frame_duration2(from.codecpar, packet.size);
    if (samples == 0) samples = from.codecpar->frame_size;
    packet.dts = packet.pts = av_rescale_delta(base, packet.dts, {1, from.codecpar->sample_rate}, samples,
                                               &track.source->audio_rounding(track.stream), base);
  }
  av_packet_rescale_ts(&packet, base, to.time_base);
  if (packet.dts != AV_NOPTS_VALUE && packet.pts != AV_NOPTS_VALUE && packet.dts > packet.pts) {
    const auto next = av_sat_add64(track.last_dts, 1);  // The middle one of the three.
    packet.pts = packet.dts =
        std::max(std::min(packet.pts, packet.dts), std::min(std::max(packet.pts, packet.dts), next));
  }
  if (packet.dts != AV_NOPTS_VALUE && track.last_dts != AV_NOPTS_VALUE &&
      to.codecpar->codec_id != AV_CODEC_ID_VP9) {
    const auto least =
        av_sat_add64(track.last_dts, (context_->oformat->flags & AVFMT_TS_NONSTRICT) != 0 ? 0 : 1);
    if (packet.dts < least) {
      if (packet.pts >= packet.dts) packet.pts = std::max(packet.pts, least);
      packet.dts = least;
    }
  }
  track.last_dts = packet.dts;
}

Result<void> Output::write(std::size_t input, AVPacket& packet) {
  const auto track = std::ranges::find_if(tracks_, [&](const Track& candidate) {
    return candidate.input == input && candidate.stream == packet.stream_index;
  });
  if (track == tracks_.end() || (!track->started && (packet.flags & AV_PKT_FLAG_KEY) == 0)) {
    av_packet_unref(&packet);
    return {};
  }
  track->started = true;
  const auto index = track - tracks_.begin();
  const AVStream& to = *context_->streams[index];
  const AVStream& from = *track->source->context().streams[track->stream];
  rescale(packet, *track, from, to);
  if (packet.pts != AV_NOPTS_VALUE)
    duration_ = std::max(
        duration_, static_cast<double>(av_sat_add64(packet.pts, packet.duration)) * av_q2d(to.time_base));
  packet.stream_index = static_cast<int>(index);
  packet.pos = -1;
  if (const int written = av_interleaved_write_frame(context_.get(), &packet); written < 0)
    return av_failure("cannot write " + path_, written);
  return {};
}

std::size_t Output::hungriest(const std::vector<bool>& ended) const {
  std::size_t best = ended.size();
  std::int64_t least = INT64_MAX;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const Track& track = tracks_[i];
    if (ended[track.input]) continue;
    const auto time = track.last_dts == AV_NOPTS_VALUE
                          ? INT64_MIN
                          : av_rescale_q(track.last_dts, context_->streams[i]->time_base, kMicroseconds);
    if (time < least || best == ended.size()) {
      least = time;
      best = track.input;
    }
  }
  return best;
}

Result<void> Output::finish() {
  if (std::ranges::none_of(tracks_, &Track::started))
    return fail(Errc::unsupported, "there is nothing to write");
  if (const int written = av_write_trailer(context_.get()); written < 0) {
    if (room_ > 0 && written == AVERROR(EINVAL))
      return fail(Errc::internal, "the index does not fit where room was left for it", "index_too_large");
    return av_failure("cannot end " + path_, written);
  }
  avio_flush(io_.get());
  if (io_->error < 0) return av_failure("cannot write " + path_, io_->error);
  finished_ = true;
  return {};
}

std::vector<TrackSize> Output::expected_tracks() const {
  std::vector<TrackSize> out;
  for (const Track& track : tracks_) {
    const bool video =
        track.source->context().streams[track.stream]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    out.push_back({.video = video, .packets = track.source->expected_packets(track.stream)});
  }
  return out;
}

double Output::duration() const {
  return duration_;
}

}  // namespace trawl::remux
