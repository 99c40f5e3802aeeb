#include "remux/remux.h"

#include <algorithm>

#include <fmt/format.h>

#include "remux/index_room.h"
#include "remux/input.h"
#include "remux/output.h"

namespace trawl::remux {
namespace {

AVMediaType type_of(const AVStream& stream) {
  return stream.codecpar->codec_type;
}

json::string_view type_name(const AVStream& stream) {
  const char* name = av_get_media_type_string(type_of(stream));
  return name ? name : "unknown";
}

bool is_unknown(const AVStream& stream) {
  return type_of(stream) == AVMEDIA_TYPE_DATA || type_of(stream) == AVMEDIA_TYPE_UNKNOWN;
}

int attached_picture(const AVStream& stream) {
  return (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0 ? 1 : 0;
}

// The streams of `input` that `selection` means.
Result<std::vector<int>> choose(const CopyRequest& request, const Selection& selection, const Input& input) {
  std::vector<int> chosen;
  std::int64_t seen = 0;
  for (unsigned i = 0; i < input.context().nb_streams; ++i) {
    const AVStream& stream = *input.context().streams[i];
    if (request.drop_unknown && is_unknown(stream)) continue;
    if (!selection.type.empty() && type_name(stream) != selection.type) continue;
    if (const auto place = seen++; selection.index >= 0 && place != selection.index) continue;
    if (request.drop_video && type_of(stream) == AVMEDIA_TYPE_VIDEO) continue;
    chosen.push_back(static_cast<int>(i));
  }
  if (chosen.empty())
    return fail(Errc::unsupported, fmt::format("{} has no {} stream {}", input.path(), selection.type,
                                               std::max<std::int64_t>(0, selection.index)));
  return chosen;
}

Result<std::vector<Input>> open_all(const CopyRequest& request) {
  std::vector<Input> inputs;
  for (const auto& file : request.inputs) {
    auto input = Input::open(file);
    if (!input) return fail(input.error());
    inputs.push_back(std::move(*input));
  }
  return inputs;
}

Result<void> map_streams(const CopyRequest& request, std::vector<Input>& inputs, Output& output) {
  std::vector<std::vector<int>> kept(inputs.size());
  for (const auto& selection : request.map) {
    const auto place = static_cast<std::size_t>(selection.input);
    const auto chosen = choose(request, selection, inputs[place]);
    if (!chosen) return fail(chosen.error());
    for (const int stream : *chosen) {
      if (std::ranges::find(kept[place], stream) != kept[place].end())
        return fail(Errc::unsupported, "a stream is asked for twice");
      kept[place].push_back(stream);
      if (const auto added = output.add_stream(inputs[place], place, stream); !added)
        return fail(added.error());
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].keep_only(kept[i]);
  output.choose_defaults();
  return {};
}

void describe(const CopyRequest& request, const std::vector<Input>& inputs, Output& output) {
  const auto with_chapters =
      std::ranges::find_if(inputs, [](const Input& input) { return input.context().nb_chapters > 0; });
  if (with_chapters != inputs.end()) output.copy_chapters(*with_chapters);
  auto& tags = output.context().metadata;
  av_dict_copy(&tags, inputs[static_cast<std::size_t>(request.tags_from)].context().metadata,
               AV_DICT_DONT_OVERWRITE);
  if (request.tags_from == 0) {
    for (const char* key : {"creation_time", "company_name", "product_name", "product_version"})
      av_dict_set(&tags, key, nullptr, 0);
  }
  output.set_tags(request.tags);
}

Result<void> copy_packets(std::vector<Input>& inputs, Output& output) {
  const Packet packet(av_packet_alloc());
  if (!packet) return fail(Errc::internal, "out of memory");
  std::vector<bool> ended(inputs.size());
  for (;;) {
    const auto turn = output.hungriest(ended);
    if (turn == inputs.size()) return {};
    const auto got = inputs[turn].read(*packet);
    if (!got) return fail(got.error());
    if (!*got) {
      ended[turn] = true;
      continue;
    }
    if (const auto written = output.write(turn, *packet); !written) return fail(written.error());
  }
}

json::array streams_of(const AVFormatContext& context) {
  json::array streams;
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    const AVStream& stream = *context.streams[i];
    json::object tags;
    const AVDictionaryEntry* tag = nullptr;
    while ((tag = av_dict_get(stream.metadata, "", tag, AV_DICT_IGNORE_SUFFIX))) tags[tag->key] = tag->value;
    streams.push_back(json::object{{"index", static_cast<std::int64_t>(i)},
                                   {"codec_type", type_name(stream)},
                                   {"codec_name", avcodec_get_name(stream.codecpar->codec_id)},
                                   {"disposition", json::object{{"attached_pic", attached_picture(stream)}}},
                                   {"tags", std::move(tags)}});
  }
  return streams;
}

// Only MP4 and its relatives have the index at the start.
std::int64_t room_for(const CopyRequest& request, const Output& output, const std::vector<Input>& inputs) {
  if (!request.faststart || request.container == "mkv" || request.container == "webm") return 0;
  std::int64_t bytes = 0;
  for (const Input& input : inputs) bytes += std::max<std::int64_t>(input.bytes(), 0);
  return room_for_index(output.expected_tracks(), bytes);
}

Result<json::object> copy_once(const CopyRequest& request, bool with_room) {
  auto inputs = open_all(request);
  if (!inputs) return fail(inputs.error());
  auto output = Output::make(request);
  if (!output) return fail(output.error());
  if (const auto mapped = map_streams(request, *inputs, *output); !mapped) return fail(mapped.error());
  describe(request, *inputs, *output);
  const auto begun = output->begin(with_room ? room_for(request, *output, *inputs) : 0);
  if (!begun) return fail(begun.error());
  if (const auto copied = copy_packets(*inputs, *output); !copied) return fail(copied.error());
  if (const auto finished = output->finish(); !finished) return fail(finished.error());
  return json::object{{"duration", output->duration()}, {"streams", streams_of(output->context())}};
}

}  // namespace

Result<json::object> copy(const CopyRequest& request) {
  auto copied = copy_once(request, true);
  if (!copied && copied.error().reason == "index_too_large") return copy_once(request, false);
  return copied;
}

Result<json::object> probe(const InputFile& file) {
  const auto input = Input::open(file);
  if (!input) return fail(input.error());
  const AVFormatContext& context = input->context();
  json::object format{{"format_name", context.iformat->name}};
  if (context.duration != AV_NOPTS_VALUE)
    format["duration"] = fmt::format("{:.6f}", static_cast<double>(context.duration) / AV_TIME_BASE);
  return json::object{{"format", std::move(format)}, {"streams", streams_of(context)}};
}

}  // namespace trawl::remux
