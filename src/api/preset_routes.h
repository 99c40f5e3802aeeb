#pragma once

#include "base/clock.h"
#include "downloads/presets.h"
#include "http/router.h"

namespace trawl::api {

// CRUD of the caller's presets, and their use in the bodies of submissions.
class PresetRoutes {
 public:
  PresetRoutes(downloads::Presets& presets, const Clock& clock) : presets_(presets), clock_(clock) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> list(http::Request request);
  Task<http::Response> create(http::Request request);
  Task<http::Response> show(http::Request request);
  Task<http::Response> replace(http::Request request);
  Task<http::Response> remove(http::Request request);
  Task<http::Response> store(http::Request request, downloads::Preset preset, bool replace);

  downloads::Presets& presets_;
  const Clock& clock_;
};

// Puts what a submission's `preset` says into its body. The failure is the answer to send; a body that is no
// object is left for its reader to refuse.
[[nodiscard]] Task<std::expected<void, http::Response>> apply_preset(downloads::Presets& presets,
                                                                     http::Request& request);

}  // namespace trawl::api
