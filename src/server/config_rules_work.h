#pragma once

#include "media/options.h"
#include "server/config.h"
#include "server/config_checks.h"

// Rules of the sections on downloads and what they may reach.

template <>
struct trawl::Rules<trawl::server::DownloadConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "max_concurrent", .doc = "Downloads that run at the same time.", .min = 1, .max = 1000},
      {.name = "queue_max",
       .doc = "Downloads that may wait; a submission beyond that is answered with 503.",
       .min = 1,
       .max = 1'000'000},
      {.name = "timeout_sec",
       .doc = "Seconds one download may take, unless the request says otherwise.",
       .min = 60,
       .max = 7200},
      {.name = "progress_timeout_sec",
       .doc = "Seconds a download may go without progress.",
       .min = 60,
       .max = 1800},
      {.name = "max_bytes", .doc = "Largest download that is accepted.", .min = 1 << 20},
      {.name = "max_retries",
       .doc = "Further attempts after a download failed for a passing reason.",
       .min = 0,
       .max = 15},
      {.name = "rate_limit_bytes",
       .doc = "Bytes per second one download may take; 0 sets no limit.",
       .min = 0},
      {.name = "cookies_file",
       .doc = "Cookies in Netscape format; a download gets those of the site that was asked for. Readable by "
              "the "
              "server only.",
       .max = 4000,
       .check = server::check_path},
      {.name = "format",
       .doc =
           "yt-dlp's format selector for requests that name no quality, format or preset; empty: the best.",
       .max = 1000,
       .example = R"("bestvideo[height<=1080]+bestaudio/best")",
       .check = server::check_format},
      {.name = "audio_only", .doc = "Whether such requests get the sound alone."},
      {.name = "sponsorblock",
       .doc = "Whether what sponsors paid for is cut out of videos of YouTube, unless a request or its "
              "preset says "
              "otherwise."}};
};

template <>
struct trawl::Rules<trawl::server::BatchConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "max_entries",
       .doc = "Entries of one playlist or channel that are looked at; what comes behind is left out.",
       .min = 1,
       .max = 100000}};
};

template <>
struct trawl::Rules<trawl::server::MetadataConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "cache_sec",
       .doc =
           "Seconds for which what a site said of a medium, playlist or channel is remembered; 0 asks each "
           "time.",
       .min = 0,
       .max = 86'400},
      {.name = "cache_bytes", .doc = "Memory that may take.", .min = 1 << 20, .max = 1LL << 34},
      {.name = "public_info",
       .doc = "Answers GET /api/v1/info without a key; the limit limits.route_playlist holds for it."}};
};

template <>
struct trawl::Rules<trawl::server::TransferConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "native",
       .doc = "Whether Trawl moves the bytes itself where it can; otherwise yt-dlp does, which is slower."},
      {.name = "connections",
       .doc = "Connections one download may use at once; fewer are used while they are fast enough.",
       .min = 1,
       .max = 32},
      {.name = "connections_per_host",
       .doc = "Connections to one host, of all downloads together.",
       .min = 1,
       .max = 256},
      {.name = "rate_limit_bytes",
       .doc = "Bytes per second all downloads together may take; 0 sets no limit.",
       .min = 0},
      {.name = "rate_limit_per_host_bytes",
       .doc = "Bytes per second that may come from one host, of all downloads together; 0 sets no limit.",
       .min = 0},
      {.name = "connect_timeout_sec",
       .doc = "Seconds until a connection to an origin, or the look-up of its name, is given up.",
       .min = 1,
       .max = 120},
      {.name = "quiet_timeout_sec",
       .doc = "Seconds an origin may go below 1 KiB/s before its answer is given up.",
       .min = 1,
       .max = 600},

      {.name = "ca_file",
       .doc = "Certificate authorities (PEM) to trust besides those of the system, for origins of a private "
              "network.",
       .max = 4000,
       .check = server::check_path}};
};

template <>
struct trawl::Rules<trawl::server::JobsConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "lease_sec",
       .doc = "Seconds after which a job is handed to another worker when its worker falls silent.",
       .min = 1,
       .max = 300},
      {.name = "max_running_per_owner",
       .doc = "Downloads of one API key that run at the same time; 0 sets no limit but max_concurrent.",
       .min = 0,
       .max = 10'000},
      {.name = "max_running_per_host",
       .doc = "Downloads from one host that run at the same time; 0 sets no limit but max_concurrent.",
       .min = 0,
       .max = 10'000},
      {.name = "max_queued_per_owner",
       .doc = "Downloads of one API key that may wait; a submission beyond that is answered with 429. 0 "
              "sets no limit but download.queue_max.",
       .min = 0,
       .max = 1'000'000},
      {.name = "record_ttl_hours",
       .doc = "Hours after which an ended download, or batch, of which no file is left is forgotten with its "
              "log; 0 "
              "keeps it.",
       .min = 0,
       .max = 87'600}};
};

template <>
struct trawl::Rules<trawl::server::BreakerConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "failures",
       .doc = "Failures in a row after which the downloads of an origin host wait, as it is broken or does "
              "not answer.",
       .min = 1,
       .max = 1000},
      {.name = "failed_percent",
       .doc = "They wait as well when so large a part of breaker.min_calls or more ended so within "
              "breaker.window_sec.",
       .min = 1,
       .max = 100},
      {.name = "min_calls",
       .doc = "Downloads of a host that must have ended before a part of them says anything.",
       .min = 1,
       .max = 100'000},
      {.name = "window_sec",
       .doc = "Seconds over which they are counted, from a failure on.",
       .min = 1,
       .max = 3600},
      {.name = "open_sec",
       .doc = "Seconds until one of them tries whether the host is well again.",
       .min = 1,
       .max = 3600}};
};

template <>
struct trawl::Rules<trawl::server::DlqConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "max_deliveries",
       .doc = "How many workers may vanish with a download before it becomes a dead letter.",
       .min = 1,
       .max = 1000},
      {.name = "max_crashes",
       .doc = "How often a download may crash the process that works on it before it becomes a dead letter.",
       .min = 1,
       .max = 100}};
};

template <>
struct trawl::Rules<trawl::server::EngineConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "python",
       .doc = "The Python that runs yt-dlp; empty looks for python3.",
       .max = 4000,
       .check = server::check_path},
      {.name = "ytdlp_path",
       .doc = "Folder or zip file with a yt-dlp to use in place of the installed one.",
       .max = 4000,
       .check = server::check_path},
      {.name = "plugin_dirs",
       .doc = "Folders with yt-dlp plugin packages.",
       .max = 100,
       .check = server::check_path},
      {.name = "pot_provider",
       .doc = "Where PO tokens for YouTube are made: `http://127.0.0.1:4416`, a server that a plugin in "
              "engine.plugin_dirs asks. Jobs reach it whatever the policy says.",
       .max = 300,
       .check = server::check_plain_server},
      {.name = "update_index",
       .doc = "Where the newest release of yt-dlp is announced, as GitHub does (docs/engine-updates.md).",
       .max = 2000,
       .check = trawl::media::check_http_url},
      {.name = "update_hours",
       .doc = "How often yt-dlp is updated by itself; 0 leaves it to `trawl engine update`.",
       .min = 0,
       .max = 8760},
      {.name = "smoke_urls",
       .doc = "Pages that a release of yt-dlp must be able to resolve before it is used.",
       .max = 50,
       .check = trawl::media::check_http_url}};
};

template <>
struct trawl::Rules<trawl::server::MediaConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "sponsorblock_api",
       .doc = "The SponsorBlock service that is asked for segments of a video.",
       .max = 2000,
       .check = trawl::media::check_http_url},
      {.name = "live_poll_sec",
       .doc = "How often a live stream that has not begun is asked for, while a download waits for it.",
       .min = 1,
       .max = 3600},
      {.name = "live_silence_sec",
       .doc = "How long a live stream may send nothing before its recording ends.",
       .min = 5,
       .max = 3600},
      {.name = "presets",
       .doc = "A JSON file with presets for everybody (docs/presets.md).",
       .max = 4000,
       .check = server::check_path}};
};

template <>
struct trawl::Rules<trawl::server::SandboxConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "required",
       .doc =
           "Whether Trawl refuses to start where it cannot confine yt-dlp and ffmpeg; off, it does without "
           "what is missing (docs/security.md)."},
      {.name = "first_uid",
       .doc = "As root, each running download is a user of its own: this number or one of the 255 after it "
              "(more "
              "when download.max_concurrent is), which nobody else may have; a second server on the machine "
              "takes "
              "the next ones. 0 keeps root's.",
       .min = 0,
       .max = 2'000'000'000},
      {.name = "memory_bytes", .doc = "Memory one download's processes may use, together.", .min = 256 << 20},
      {.name = "max_file_bytes", .doc = "Largest file yt-dlp or ffmpeg may write.", .min = 1 << 20},
      {.name = "cpu_sec",
       .doc = "Seconds of processor time one process of a download may use.",
       .min = 1,
       .max = 1'000'000},
      {.name = "read_paths",
       .doc = "Files and folders downloads may read beyond the system's programs and libraries, such as a "
              "JavaScript runtime installed elsewhere.",
       .max = 1'000,
       .check = server::check_path}};
};

template <>
struct trawl::Rules<trawl::server::FfmpegConfig> {
  static constexpr FieldRule fields[] = {{.name = "path",
                                          .doc = "The ffmpeg to use; empty looks on PATH.",
                                          .max = 4000,
                                          .check = server::check_path}};
};

template <>
struct trawl::Rules<trawl::server::PolicyConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "allowed_domains",
       .doc = "Domains downloads may reach, each with its subdomains, at submission and at every connection; "
              "empty allows every public one.",
       .max = 10'000,
       .example = R"(["example.com"])",
       .check = server::check_domain},
      {.name = "denied_domains",
       .doc = "Domains downloads may not reach, each with its subdomains.",
       .max = 10'000,
       .check = server::check_domain},
      {.name = "allow_youtube", .doc = "Whether YouTube may be downloaded from."},
      {.name = "youtube_only", .doc = "Whether everything but YouTube is refused."},
      {.name = "allow_private_networks",
       .doc = "Whether downloads may reach loopback, private and link-local addresses. Leave it off where "
              "strangers can submit URLs."},
      {.name = "media_domains",
       .doc = "Domains that cannot be submitted but may serve the media of policy.allowed_domains or "
              "YouTube pages; `*` lets media come from anywhere.",
       .max = 10'000,
       .example = R"(["cdn.example.net"])",
       .check = server::check_domain},
      {.name = "allow_addresses",
       .doc =
           "Networks downloads may reach although they are not public, each with a port or a range of "
           "ports if only those are to be open. `198.18.0.0/15` is what VPN clients with fake-IP DNS need.",
       .max = 1000,
       .example = R"(["10.0.0.0/8:443", "198.18.0.0/15", "[fd00::/8]:8000-8100"])",
       .check = server::check_address_exception},
      {.name = "allowed_ports",
       .doc = "Ports downloads may reach. A range leaves out those of databases and other internal services; "
              "a single port is open whatever usually listens there.",
       .max = 1000,
       .check = server::check_port_range}};
};

template <>
struct trawl::Rules<trawl::server::UpstreamConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "proxies",
       .doc = "Proxies that downloads go out through: `http://`, `socks5://` (names are resolved here) or "
              "`socks5h://` URLs, or `direct`, each for one site as `example.com=URL`.",
       .max = 1000,
       .example = R"(["socks5://user:password@proxy.example:1080", "example.com=direct"])",
       .secret = true,
       .check = server::check_route},
      {.name = "cool_down_sec",
       .doc = "Seconds a site is not asked again through a proxy after it refused (403, 429) or the proxy "
              "failed, when there is another way.",
       .min = 0,
       .max = 86'400}};
};
