#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/log.h"
#include "base/result.h"
#include "media/entry.h"
#include "media/part.h"
#include "media/plan.h"

namespace trawl::engine {

// What confines the children (docs/security.md). Everything a child gets beyond that is in its Request.
struct SandboxOptions {
  bool required = true;             // Without it a machine that cannot confine is used all the same.
  int first_uid = 0;                // Root's children become users of their own from here on; 0: they do not.
  int children = 0;                 // So many may run at once.
  std::int64_t memory_bytes = 0;    // Of one child with all it starts.
  std::int64_t max_file_bytes = 0;  // Of any file.
  int cpu_sec = 0;                  // Of one process.
  std::vector<std::string> read_paths;  // Children may read these, and run what is there.
};
BOOST_DESCRIBE_STRUCT(SandboxOptions, (),
                      (required, first_uid, children, memory_bytes, max_file_bytes, cpu_sec, read_paths))

struct EngineOptions {
  std::filesystem::path python;       // Empty: /usr/bin/python3, else python3 of search_path.
  std::filesystem::path host_script;  // engine/host.py
  std::filesystem::path ytdlp_path;   // A folder or zipapp put first on sys.path; may be empty.
  std::vector<std::filesystem::path> plugin_dirs;
  std::filesystem::path ffmpeg;      // Empty: look-up in search_path.
  std::filesystem::path ca_file;     // Authorities to trust besides the system's; may be empty.
  std::filesystem::path remux_path;  // trawl-remux. Empty: next to host_script.
  std::optional<SandboxOptions>
      sandbox;  // Its programs are next to host_script. Nothing: children are trusted.
  std::string search_path = "/usr/local/bin:/usr/bin:/bin";  // PATH of the host and its children.
  std::chrono::seconds start_timeout{60};
  // From the wish for a child until it exists, confined or about to be; not for one that failed.
  std::function<void(std::chrono::steady_clock::duration)> on_child_started{};
  std::function<void()> on_host_lost{};  // The host ended without being asked to.
};

struct Versions {
  std::string ytdlp, python, ffmpeg;  // ffmpeg is empty when there is none.
  // Browsers that requests can look like, as "client-version:os-version"; empty without curl_cffi.
  std::vector<std::string> impersonate;
  std::vector<std::string> js_runtimes;    // That YouTube's pages can be run with, best first: "deno", ...
  std::vector<std::string> pot_providers;  // Plugins that make PO tokens for YouTube.
};
BOOST_DESCRIBE_STRUCT(Versions, (), (ytdlp, python, ffmpeg, impersonate, js_runtimes, pot_providers))

// Whether one of `targets` is what `wanted` asks for, which may leave out all but the client: "chrome"
// asks for any Chrome.
[[nodiscard]] bool offers(const std::vector<std::string>& targets, std::string_view wanted);

// How far the children are confined on this machine, as tried out when the host started.
struct Sandbox {
  std::string tier = "none";  // "B", "A", "A-" or "none": docs/security.md says what each holds.
  int landlock = 0;           // The kernel's version of it.
  bool private_users = false;
  bool network_namespace = false;
  bool cgroups = false;              // A child and all it starts are one, with its limits.
  std::vector<std::string> missing;  // What does not work here, in words.
};
BOOST_DESCRIBE_STRUCT(Sandbox, (), (tier, landlock, private_users, network_namespace, cgroups, missing))

// What yt-dlp is asked to do: typed fields only, never raw options. The Python side maps them.
struct Request {
  std::string url;
  std::string format;                           // A yt-dlp format selector.
  std::string container;                        // Merge and remux target: "mp4", ... Empty: as it comes.
  std::string audio_format;                     // Non-empty: extract the audio to "mp3", ...
  std::string audio_quality;                    // "192" (kbit/s) or "0" for best.
  std::vector<std::string> subtitle_languages;  // Empty: no subtitles. "all" is allowed.
  bool automatic_subtitles = false;
  bool manual_subtitles = true;
  std::string subtitle_format;  // Converted to this: "srt", "vtt", "ass", "lrc".
  bool embed_subtitles = false;
  bool write_subtitles = false;  // Keep them as files of their own.
  bool translated_subtitles = false;
  bool transcript = false;       // Keep the captions' text as files of their own.
  bool transcript_only = false;  // No media.
  bool transcript_paragraphs = true;
  bool transcript_timestamps = false;
  bool write_thumbnail = false;
  bool all_thumbnails = false;
  std::string thumbnail_format;  // "" keeps what the site has.
  bool embed_thumbnail = false;
  bool embed_metadata = false;  // Tags.
  bool embed_chapters = false;
  bool split_chapters = false;
  bool write_info_json = false;
  bool write_description = false;
  bool write_nfo = false;
  std::vector<std::string> sponsorblock_mark, sponsorblock_remove;
  std::string sponsorblock_api;                      // Empty: the public one.
  std::optional<double> section_start, section_end;  // Seconds; or the first chapter whose title contains
  std::string section_chapter;                       // this.
  bool precise_cuts = false;
  bool live_from_start = false;
  std::string cookies_file;        // Netscape format, in the work folder; may be empty.
  std::string proxy;               // The only way out, on 127.0.0.1; see net::EgressProxy.
  std::string work_dir;            // Absolute; everything is written here and nowhere else.
  std::int64_t max_bytes = 0;      // 0: no limit.
  std::int64_t rate_limit = 0;     // Bytes per second, 0: no limit.
  int retries = 3;                 // Of one HTTP request inside yt-dlp.
  json::object entry;              // Of a playlist: {target (media::Entry), playlist: {...}}; else empty.
  std::string impersonate;         // A browser to look like; empty: none.
  bool geo_bypass = true;          // Extractors may name an address of another country to the site,
  std::string geo_bypass_country;  // of this one; empty: of one that they know to be allowed.
  double sleep_interval = 0;       // Seconds between requests while resolving.
  std::string pot_provider;  // Where PO tokens are made (EgressProxy::Pass::service_url()); may be empty.
};
BOOST_DESCRIBE_STRUCT(Request, (),
                      (url, format, container, audio_format, audio_quality, subtitle_languages,
                       automatic_subtitles, manual_subtitles, subtitle_format, embed_subtitles,
                       write_subtitles, translated_subtitles, transcript, transcript_only,
                       transcript_paragraphs, transcript_timestamps, write_thumbnail, all_thumbnails,
                       thumbnail_format, embed_thumbnail, embed_metadata, embed_chapters, split_chapters,
                       write_info_json, write_description, write_nfo, sponsorblock_mark, sponsorblock_remove,
                       sponsorblock_api, section_start, section_end, section_chapter, precise_cuts,
                       live_from_start, cookies_file, proxy, work_dir, max_bytes, rate_limit, retries, entry,
                       impersonate, geo_bypass, geo_bypass_country, sleep_interval, pot_provider))

// What a child says while it works. Called on the engine's executor, never after the Child is gone.
// Log lines are limited in length and rate, so that a noisy child cannot flood a job's log.
struct Listener {
  std::function<void(const media::Progress&)> on_progress;
  std::function<void(LogLevel, std::string)> on_log;
  // The site asks to be left alone for so long (Retry-After); the stage is about to fail.
  std::function<void(std::chrono::seconds)> on_told_to_wait;
  std::function<void(std::string)> on_blamed{};  // The extractor that the error came from, by its name.
};

// Brings the parts that a child promised: each as a whole file of its name in the work folder. Its wait
// is cancelled (Asio's terminal cancellation) when the stage's limit has passed or the child is lost,
// and the stage returns after it has; it must not outlive what it refers to.
using Keep = std::function<Task<Result<void>>(std::vector<media::Part>)>;

// One forked child of the warm host, working on one download in its own process group.
//
// The three stages come in order; a stage may be the first one when a stored Plan takes the place
// of those before it. Errors carry stable reasons mapped from yt-dlp's exceptions
// ("unsupported_url", "login_required", ...; docs/engine-protocol.md lists them). A child that dies
// is Errc::unavailable, reason "engine_crashed", with its last stderr lines in the job's log; one
// that exceeds a limit is Errc::timeout, reason "engine_timeout", and is terminated. After a failed
// stage every later one fails with the same error. Destruction kills the process group.
class Child {
 public:
  virtual ~Child() = default;

  [[nodiscard]] virtual Task<Result<media::Plan>> resolve(std::chrono::seconds limit) = 0;
  // Instead of the stages: the next page of a playlist or channel, at most `most` entries. The site is
  // asked for no more than the page needs. Errc::unsupported, reason "not_a_playlist", for one medium;
  // Errc::conflict after the last page.
  [[nodiscard]] virtual Task<Result<media::Listed>> list(int most, std::chrono::seconds limit) = 0;
  // Brings everything into the work folder and stops before post-processing.
  //
  // What `keep` can bring is promised by the child and asked of it once, with all promises together;
  // the rest (live streams, other protocols, ...), and everything when `keep` is empty, yt-dlp moves
  // itself. Progress tells of the latter alone. A `keep` that fails ends the child; its error is the result.
  // `quiet_limit`: no progress of yt-dlp for this long is Errc::timeout; `keep` watches over itself.
  [[nodiscard]] virtual Task<Result<void>> transfer(std::chrono::seconds limit,
                                                    std::chrono::seconds quiet_limit, Keep keep) = 0;
  // Post-processing in place; the files that result. Nobody can change them any more: the child has ended.
  [[nodiscard]] virtual Task<Result<std::vector<media::Produced>>> finish(std::chrono::seconds limit) = 0;

  // Asks for the end of a live recording: transfer() then succeeds soon, with what there is. No effect on
  // anything else.
  virtual void wind_up() = 0;

  // SIGTERM to the group now, SIGKILL after 5 s. What is waiting on the child fails with cancelled.
  virtual void terminate() = 0;

  // The process, and the number of its group.
  [[nodiscard]] virtual int pid() const = 0;
};

// The warm engine host: one Python process with yt-dlp loaded, which forks a child per download.
// A host that dies is started again (with back-off); children of the old one fail.
class Engine {
 public:
  virtual ~Engine() = default;
  // Starts the host and waits until it is warm. Errc::unavailable, reason "engine_unavailable",
  // when Python or yt-dlp is missing or broken; the message says what to install.
  [[nodiscard]] virtual Task<Result<void>> start() = 0;
  // Ends the host and every child; children still held fail with Errc::cancelled. Call it before destruction.
  [[nodiscard]] virtual Task<void> stop() = 0;
  [[nodiscard]] virtual bool healthy() const = 0;
  [[nodiscard]] virtual Versions versions() const = 0;
  [[nodiscard]] virtual Sandbox sandbox() const = 0;

  // Forks a child for `request`, waiting for a host that is just being started again; with a plan, resolve()
  // is skipped; with `transferred`, transfer() as well (the parts are in work_dir).
  [[nodiscard]] virtual Task<Result<std::unique_ptr<Child>>> open(Request request, Listener listener,
                                                                  std::optional<media::Plan> plan,
                                                                  bool transferred) = 0;
};

[[nodiscard]] std::unique_ptr<Engine> make_engine(asio::any_io_executor executor, EngineOptions options);

}  // namespace trawl::engine
