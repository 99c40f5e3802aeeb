#pragma once

#include "http/message.h"
#include "storage/storage.h"

namespace trawl::api {

// A part of a stored file that is fetched from its backend while it is sent, a block at a time.
class StoredStream final : public http::BodyStream {
 public:
  // With the first block at hand, so that what is missing or out of reach is still an error of its own.
  [[nodiscard]] static Task<Result<std::shared_ptr<http::BodyStream>>> open(storage::ArtifactStore& storage,
                                                                            storage::Artifact artifact,
                                                                            std::uint64_t offset,
                                                                            std::uint64_t length);
  StoredStream(storage::ArtifactStore& storage, storage::Artifact artifact, std::uint64_t offset,
               std::uint64_t length)
      : storage_(storage), artifact_(std::move(artifact)), offset_(offset), left_(length), length_(length) {}

  [[nodiscard]] Task<Result<std::optional<std::string>>> next() override;
  void stop() override { stopped_ = true; }
  [[nodiscard]] std::optional<std::uint64_t> length() const override { return length_; }

 private:
  storage::ArtifactStore& storage_;
  const storage::Artifact artifact_;
  std::uint64_t offset_, left_;
  const std::uint64_t length_;
  std::optional<std::string> first_;
  bool stopped_ = false;
};

}  // namespace trawl::api
