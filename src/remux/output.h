#pragma once

#include <string>
#include <vector>

#include "remux/av.h"
#include "remux/file_io.h"
#include "remux/index_room.h"
#include "remux/input.h"
#include "remux/request.h"

namespace trawl::remux {

struct MuxerCloser {
  void operator()(AVFormatContext* context) const { avformat_free_context(context); }
};

// A file being written. It is taken away again unless finish() was reached.
class Output {
 public:
  // Errc::invalid for a container that is not one of CopyRequest's.
  [[nodiscard]] static Result<Output> make(const CopyRequest& request);
  Output(Output&&) = default;
  ~Output();

  [[nodiscard]] AVFormatContext& context() const { return *context_; }

  // Errc::unsupported when the container cannot hold the stream.
  [[nodiscard]] Result<void> add_stream(Input& source, std::size_t input, int stream);
  // Makes the first stream of a type the default one where several are and none is marked.
  void choose_defaults();
  void copy_chapters(const Input& source);
  void set_tags(const std::vector<Tag>& tags);
  // With `room` bytes left for the index; 0: the file is rearranged at its end. An index that does not fit
  // makes finish() fail with reason "index_too_large".
  [[nodiscard]] Result<void> begin(std::int64_t room);
  // `packet` is of stream `stream` of that input; it is used up.
  [[nodiscard]] Result<void> write(std::size_t input, AVPacket& packet);
  // The input whose turn it is, so that no stream runs ahead; `ended` says which have no more.
  [[nodiscard]] std::size_t hungriest(const std::vector<bool>& ended) const;
  [[nodiscard]] Result<void> finish();
  [[nodiscard]] std::vector<TrackSize> expected_tracks() const;
  // Seconds written.
  [[nodiscard]] double duration() const;

 private:
  struct Track {
    Input* source = nullptr;
    std::size_t input = 0;
    int stream = 0;  // Of the input; its place in tracks_ is that of the output.
    std::int64_t last_dts = AV_NOPTS_VALUE;
    bool started = false;
  };

  Output() = default;
  void rescale(AVPacket& packet, Track& track, const AVStream& from, const AVStream& to);
  [[nodiscard]] bool takes(AVCodecID codec) const;

  std::string path_;
  bool faststart_ = false, finished_ = false;
  std::int64_t room_ = 0;
  FileIo io_;
  std::unique_ptr<AVFormatContext, MuxerCloser> context_;
  std::vector<Track> tracks_;
  double duration_ = 0;
};

}  // namespace trawl::remux
