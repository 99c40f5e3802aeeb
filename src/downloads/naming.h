#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "media/options.h"
#include "media/plan.h"
#include "storage/storage.h"

namespace trawl::downloads {

// Names the files a download produced: the medium by the request's path template, everything else
// after it ("x.en.srt", "x.jpg", "x.info.json"). `random` fills {random}, `batch` {batch_id}.
//
// Errc::internal, reason "no_media", when nothing playable came out.
[[nodiscard]] Result<std::vector<storage::Staged>> name_files(const media::DownloadOptions& options,
                                                              const media::Plan& plan,
                                                              const std::vector<media::Produced>& produced,
                                                              SystemTime now, std::string random,
                                                              const std::string& batch = {});

}  // namespace trawl::downloads
