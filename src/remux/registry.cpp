// The parts of FFmpeg that a statically linked trawl-remux consists of.
//
// libavformat and libavcodec find their parts in tables that name everything they were built with, and the
// 130 libraries behind that take 30 ms to load. These definitions stand in for the tables, so the linker
// takes what is named here and nothing else: no protocol, encoder, hardware or network code is in the
// program. Only for the ABI that CMakeLists.txt checks: FFmpeg's internals change between its major versions.

#include <array>
#include <cstdint>
#include <cstring>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/mem.h>
}

// Decoders read headers only, to learn what a container does not say.
#define TRAWL_DECODERS(X) \
  X(aac)                  \
  X(aac_latm)             \
  X(ac3)                  \
  X(alac) X(av1) X(eac3) X(flac) X(h264) X(hevc) X(mp3float) X(mpeg2video) X(mpeg4) X(vorbis) X(vp8) X(vp9)
#define TRAWL_DEMUXERS(X) \
  X(aac) X(ac3) X(eac3) X(ffmetadata) X(flac) X(flv) X(matroska) X(mov) X(mp3) X(mpegts) X(ogg) X(wav)
#define TRAWL_MUXERS(X) X(ipod) X(matroska) X(mov) X(mp4) X(webm)
// Tables inside the decoders name these; only a program that asks for hardware uses them.
#define TRAWL_HARDWARE(X)                                                                               \
  X(av1_vaapi)                                                                                          \
  X(av1_vdpau)                                                                                          \
  X(h263_vaapi)                                                                                         \
  X(h264_vaapi)                                                                                         \
  X(h264_vdpau) X(hevc_vaapi) X(hevc_vdpau) X(mpeg1_vdpau) X(mpeg2_vaapi) X(mpeg2_vdpau) X(mpeg4_vaapi) \
      X(mpeg4_vdpau) X(vp8_vaapi) X(vp9_vaapi) X(vp9_vdpau)

namespace {

template <class Part, std::size_t N>
const Part* next(const std::array<const Part*, N>& parts, void** place) {
  const auto index = reinterpret_cast<std::uintptr_t>(*place);
  if (index >= N) return nullptr;
  *place = reinterpret_cast<void*>(index + 1);
  return parts[index];
}

}  // namespace

// NOLINTBEGIN: names and types are FFmpeg's.
extern "C" {

#define X(name) extern const AVCodec ff_##name##_decoder;
TRAWL_DECODERS(X)
#undef X
#define X(name) extern const AVInputFormat ff_##name##_demuxer;
TRAWL_DEMUXERS(X)
#undef X
#define X(name) extern const AVOutputFormat ff_##name##_muxer;
TRAWL_MUXERS(X)
#undef X

const AVCodec* av_codec_iterate(void** place) {
#define X(name) &ff_##name##_decoder,
  static constexpr std::array decoders{TRAWL_DECODERS(X)};
#undef X
  return next(decoders, place);
}

const AVInputFormat* av_demuxer_iterate(void** place) {
#define X(name) &ff_##name##_demuxer,
  static constexpr std::array demuxers{TRAWL_DEMUXERS(X)};
#undef X
  return next(demuxers, place);
}

const AVOutputFormat* av_muxer_iterate(void** place) {
#define X(name) &ff_##name##_muxer,
  static constexpr std::array muxers{TRAWL_MUXERS(X)};
#undef X
  return next(muxers, place);
}

const AVCodec* avcodec_find_decoder(AVCodecID id) {
  void* place = nullptr;
  while (const AVCodec* decoder = av_codec_iterate(&place)) {
    if (decoder->id == id) return decoder;
  }
  return nullptr;
}

const AVCodec* avcodec_find_decoder_by_name(const char* name) {
  void* place = nullptr;
  while (const AVCodec* decoder = av_codec_iterate(&place)) {
    if (name && std::strcmp(decoder->name, name) == 0) return decoder;
  }
  return nullptr;
}

const AVCodec* avcodec_find_encoder(AVCodecID) {
  return nullptr;
}
const AVCodec* avcodec_find_encoder_by_name(const char*) {
  return nullptr;
}
void avpriv_register_devices(const AVOutputFormat* const*, const AVInputFormat* const*) {}

const char* avio_enum_protocols(void**, int) {
  return nullptr;
}
const AVClass* avio_protocol_get_class(const char*) {
  return nullptr;
}
const AVClass* ff_urlcontext_child_class_iterate(void**) {
  return nullptr;
}
// An empty list that the caller frees.
const void** ffurl_get_protocols(const char*, const char*) {
  return static_cast<const void**>(av_mallocz(sizeof(void*)));
}
int ff_gnutls_init(void) {
  return 0;
}
void ff_gnutls_deinit(void) {}

#define X(name)                               \
  extern const AVHWAccel ff_##name##_hwaccel; \
  const AVHWAccel ff_##name##_hwaccel{};
TRAWL_HARDWARE(X)
#undef X

// Larger than FFmpeg's struct of functions, and never looked into.
struct NoHardware {
  void* none[64];
};
#define X(name)                                     \
  extern const NoHardware ff_hwcontext_type_##name; \
  const NoHardware ff_hwcontext_type_##name{};
X(cuda) X(drm) X(opencl) X(qsv) X(vaapi) X(vdpau) X(vulkan)
#undef X
}
// NOLINTEND
