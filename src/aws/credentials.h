#pragma once

#include <map>
#include <mutex>
#include <string>

#include "aws/keys.h"
#include "base/result.h"

namespace trawl::aws {

// Where keys may come from; the first that is there counts.
struct KeySources {
  Keys given;                                         // In the configuration or the environment.
  std::string container_url;                          // Of a task or pod; empty: none.
  std::string container_token, container_token_file;  // What it is asked with; may be empty.
  std::string instance_url;                           // Of the machine's metadata service; empty: not asked.
  friend bool operator==(const KeySources&, const KeySources&) = default;
};

// The sources that `environment` names, in the order and by the variables of Amazon's own SDKs, behind the
// keys of the configuration. Errc::invalid for an address of container keys that could be anybody's: without
// TLS it must be of this machine or of its host.
[[nodiscard]] Result<KeySources> key_sources(const Keys& configured,
                                             const std::map<std::string, std::string>& environment);

// The keys to sign with, kept until five minutes before their end. On any thread; blocks while new ones are
// fetched, which takes some seconds at most.
class Credentials {
 public:
  Credentials(KeySources sources, const Clock& clock) : sources_(std::move(sources)), clock_(clock) {}

  // Errc::unavailable ("no_credentials") when no source has any.
  [[nodiscard]] Result<Keys> get();
  // Fetches anew next time, if `keys` are still the ones in use: a server says that they have expired.
  void refused(const Keys& keys);

 private:
  [[nodiscard]] Result<Keys> fetch() const;

  const KeySources sources_;
  const Clock& clock_;
  std::mutex mutex_;
  Keys current_;
};

}  // namespace trawl::aws
