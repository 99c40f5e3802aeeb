#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "media/options.h"
#include "server/config.h"

namespace trawl::server {

// What is wrong with a text value, or nothing.
[[nodiscard]] std::optional<std::string> check_host(std::string_view text);
[[nodiscard]] std::optional<std::string> check_public_url(std::string_view text);
[[nodiscard]] std::optional<std::string> check_api_key(std::string_view text);
[[nodiscard]] std::optional<std::string> check_field_name(std::string_view text);
[[nodiscard]] std::optional<std::string> check_bootstrap_token(std::string_view text);
[[nodiscard]] std::optional<std::string> check_origin(std::string_view text);
[[nodiscard]] std::optional<std::string> check_network(std::string_view text);
[[nodiscard]] std::optional<std::string> check_rates(std::string_view text);
[[nodiscard]] std::optional<std::string> check_vault_key(std::string_view text);
[[nodiscard]] std::optional<std::string> check_browser(std::string_view text);
[[nodiscard]] std::optional<std::string> check_path(std::string_view text);
// "http://host:port", or empty.
[[nodiscard]] std::optional<std::string> check_plain_server(std::string_view text);
[[nodiscard]] std::optional<std::string> check_db_url(std::string_view text);
[[nodiscard]] std::optional<std::string> check_redis_url(std::string_view text);
[[nodiscard]] std::optional<std::string> check_queue_url(std::string_view text);
[[nodiscard]] std::optional<std::string> check_cdn_domain(std::string_view text);
[[nodiscard]] std::optional<std::string> check_domain(std::string_view text);
[[nodiscard]] std::optional<std::string> check_address_exception(std::string_view text);
[[nodiscard]] std::optional<std::string> check_port_range(std::string_view text);
[[nodiscard]] std::optional<std::string> check_route(std::string_view text);
[[nodiscard]] std::optional<std::string> check_webhook_secret(std::string_view text);

}  // namespace trawl::server

template <>
struct trawl::Rules<trawl::server::ServerConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "role",
       .doc = "What this process does: everything; `gateway` takes requests and runs no downloads; `worker` "
              "runs "
              "downloads and answers only /health. The last two need PostgreSQL."},
      {.name = "host",
       .doc = "Address or name to listen on; 127.0.0.1 keeps the server to this machine.",
       .min = 1,
       .max = 253,
       .check = server::check_host},
      {.name = "port", .doc = "TCP port to listen on; 0 takes any free one.", .min = 0, .max = 65535},
      {.name = "io_threads",
       .doc = "Threads for calls that block, such as writing and hashing files.",
       .min = 1,
       .max = 16},
      {.name = "public_url",
       .doc = "Where users reach this server, put in front of links to files; empty gives relative links.",
       .max = 2000,
       .example = R"("https://media.example.com")",
       .check = server::check_public_url},
      {.name = "shutdown_grace_sec",
       .doc = "Seconds a stopping server waits for running requests and downloads before it ends them.",
       .min = 0,
       .max = 600},
      {.name = "trusted_proxies",
       .doc = "Addresses and networks of proxies whose word about the client's address is taken.",
       .max = 100,
       .example = R"(["10.0.0.0/8"])",
       .check = server::check_network},
      {.name = "hsts_seconds",
       .doc = "How long browsers may reach this server by HTTPS only (Strict-Transport-Security); 0 says "
              "nothing about it.",
       .min = 0,
       .max = 63'072'000},
      {.name = "proxy_header", .doc = "The field in which those proxies write it."},
      {.name = "linger_sec",
       .doc = "Seconds a server that got SIGTERM still answers after it said it is not ready, so that a load "
              "balancer can notice.",
       .min = 0,
       .max = 60},
      {.name = "keep_alive_sec",
       .doc = "Seconds of silence after which a stream of events sends a comment, so that nothing on the way "
              "takes it for dead.",
       .min = 1,
       .max = 300}};
};

template <>
struct trawl::Rules<trawl::server::AuthConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "mode",
       .doc = "Whether requests need an API key. With `optional` they may come without and share one "
              "set of downloads; with `off` keys are not looked at and everybody may do everything."},
      {.name = "api_key",
       .doc = "A key with full access, beside those that are made by API; also the way back in when they "
              "are lost.",
       .max = 1000,
       .secret = true,
       .check = server::check_api_key},
      {.name = "header",
       .doc = "The header field that carries a key; `Authorization: Bearer` always works.",
       .min = 1,
       .max = 100,
       .check = server::check_field_name},
      {.name = "bootstrap_token",
       .doc = "What makes the first API key, once, at least 16 characters; empty writes a random one to the "
              "file bootstrap-token in storage.dir.",
       .max = 1000,
       .secret = true,
       .check = server::check_bootstrap_token}};
};

template <>
struct trawl::Rules<trawl::server::LimitsConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "enabled", .doc = "Whether requests are counted at all."},
      {.name = "ip_per_minute",
       .doc = "Requests a minute from one address without a good key; 0 sets no limit.",
       .min = 0,
       .max = 1'000'000},
      {.name = "ip_per_hour", .doc = "The same for an hour; 0 sets no limit.", .min = 0, .max = 1'000'000},
      {.name = "rps", .doc = "The same for a second; 0 sets no limit.", .min = 0, .max = 1'000'000},
      {.name = "burst", .doc = "How many of those may come at once, with limits.rps.", .min = 1, .max = 1000},
      {.name = "level_read_only",
       .doc =
           "Requests a minute of one read_only key; 0 sets no limit. Here and below a key may have its own.",
       .min = 0,
       .max = 1'000'000},
      {.name = "level_download",
       .doc = "Requests a minute of one download key; 0 sets no limit.",
       .min = 0,
       .max = 1'000'000},
      {.name = "level_admin",
       .doc = "Requests a minute of one admin key; 0 sets no limit.",
       .min = 0,
       .max = 1'000'000},
      {.name = "level_full_access",
       .doc = "Requests a minute of one full_access key; 0 sets no limit.",
       .min = 0,
       .max = 1'000'000},
      {.name = "level_anonymous",
       .doc = "Requests a minute from one address without a key, where keys are optional; 0 sets no limit.",
       .min = 0,
       .max = 1'000'000},
      {.name = "route_download",
       .doc = "How often one caller may create a download: rates such as `2/s, 10/min`, or `off`.",
       .max = 100,
       .check = server::check_rates},
      {.name = "route_playlist",
       .doc = "How often one caller may ask for a playlist or channel.",
       .max = 100,
       .check = server::check_rates},
      {.name = "route_batch",
       .doc = "How often one caller may create a batch.",
       .max = 100,
       .check = server::check_rates},
      {.name = "in_flight",
       .doc = "Requests worked on at the same time; more are answered with 503.",
       .min = 1,
       .max = 100'000}};
};

template <>
struct trawl::Rules<trawl::server::LinksConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "secret",
       .doc = "Signs links to files; empty keeps a random one in the file link-secret in storage.dir. Nodes "
              "that serve the same files need the same.",
       .max = 1000,
       .secret = true,
       .check = server::check_bootstrap_token}};
};

template <>
struct trawl::Rules<trawl::server::CookiesConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "key",
       .doc =
           "Encrypts stored cookies: 64 hex digits, or 32 bytes in base64. Without one none can be stored.",
       .max = 200,
       .secret = true,
       .check = server::check_vault_key},
      {.name = "key_file",
       .doc = "A file that holds that key, in place of cookies.key.",
       .max = 4000,
       .check = server::check_path},
      {.name = "old_keys",
       .doc = "Earlier keys: what they encrypted is encrypted anew at the start, after which they can go.",
       .max = 10,
       .secret = true,
       .check = server::check_vault_key},
      {.name = "browsers",
       .doc = "Browsers on this machine whose cookies may be taken by who may store cookies.",
       .max = 10,
       .example = R"(["firefox"])",
       .check = server::check_browser},
      {.name = "expiry_warning_days",
       .doc = "Days before their end at which cookies are said to expire soon.",
       .min = 1,
       .max = 90}};
};

template <>
struct trawl::Rules<trawl::server::CorsConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "origins",
       .doc =
           "Origins whose web pages may call this server from a browser, each exactly as browsers send it.",
       .max = 100,
       .example = R"(["https://app.example.com"])",
       .check = server::check_origin},
      {.name = "credentials", .doc = "Whether those pages may send credentials the browser keeps."}};
};

template <>
struct trawl::Rules<trawl::server::StorageConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "backend",
       .doc = "Where finished files are kept: `local` is a folder in storage.dir, `s3` a bucket. There is no "
              "falling back from one to the other."},
      {.name = "dir",
       .doc = "Folder for work in progress and, with the backend `local`, finished files; created when "
              "missing.",
       .min = 1,
       .max = 4000,
       .check = server::check_path},
      {.name = "retention_hours",
       .doc = "Hours after which finished files are deleted, at least 0.1; 0 keeps them.",
       .min = 0,
       .max = 8760},
      {.name = "quota_bytes",
       .doc =
           "Bytes that all finished files may take together; the oldest are deleted when there are more. 0 "
           "sets no limit.",
       .min = 0},
      {.name = "low_disk_bytes",
       .doc = "No download starts while less than this is free in storage.dir.",
       .min = 0},
      {.name = "max_upload_bytes", .doc = "Largest file that may be uploaded.", .min = 1},
      {.name = "scrub_rate_bytes",
       .doc = "Bytes of stored files that are read again in a second, to see that they are still what was "
              "stored. 0 reads none.",
       .min = 0},
      {.name = "scrub_days", .doc = "Days after which a stored file is read again.", .min = 0, .max = 3650}};
};

template <>
struct trawl::Rules<trawl::server::S3Config> {
  static constexpr FieldRule fields[] = {
      {.name = "bucket", .doc = "The bucket; it must exist.", .max = 63},
      {.name = "region", .doc = "Its region.", .min = 1, .max = 64},
      {.name = "endpoint",
       .doc = "Another server than Amazon's: `https://storage.example.com:9000`. It may be in a private "
              "network.",
       .max = 1000,
       .check = server::check_path},
      {.name = "prefix",
       .doc = "Before every key, for a bucket that others use as well. No two installations share one.",
       .max = 500,
       .check = server::check_path},
      {.name = "style",
       .doc = "Whether the bucket is named in the `path` or in the host (`virtual_host`); by itself the path "
              "for servers other than Amazon's."},
      {.name = "access_key",
       .doc = "The access key id. Without it keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the "
              "container or the instance, in this order.",
       .max = 200},
      {.name = "secret_key", .doc = "The secret access key.", .max = 200, .secret = true},
      {.name = "ca_file",
       .doc = "Certificate authorities (PEM) to trust besides those of the system.",
       .max = 4000,
       .check = server::check_path},
      {.name = "delivery",
       .doc =
           "How files are given out: a `redirect` to a presigned address, to the `cdn`, or passed on by this "
           "server (`proxy`)."},
      {.name = "url_ttl", .doc = "Seconds such an address works.", .min = 60, .max = 604800},
      {.name = "cdn_domain",
       .doc = "The domain of a CDN before the bucket, such as `d111111abcdef8.cloudfront.net`.",
       .max = 253,
       .check = server::check_cdn_domain},
      {.name = "cdn_key_id",
       .doc = "The id of the CloudFront public key; with it addresses of the CDN are signed.",
       .max = 100},
      {.name = "cdn_key_file",
       .doc = "The private RSA key for it (PEM), readable by the server only.",
       .max = 4000,
       .check = server::check_path},
      {.name = "connections", .doc = "Requests to the bucket at once.", .min = 1, .max = 64},
      {.name = "part_bytes",
       .doc = "Larger files are stored in parts of this size, several at once; at least 5 MiB.",
       .min = 5 << 20,
       .max = 1 << 30},
      {.name = "early_parts",
       .doc = "Whether parts of a file that is stored as it comes are sent while the rest is still being "
              "downloaded."}};
};

template <>
struct trawl::Rules<trawl::server::DbConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "url",
       .doc = "The database of jobs: `sqlite:///relative/path`, `sqlite:////absolute/path`, or "
              "`postgresql://user:password@host/name` for several servers over one database.",
       .max = 4000,
       .secret = true,
       .check = server::check_db_url},
      {.name = "connections", .doc = "Connections to PostgreSQL; SQLite needs none.", .min = 1, .max = 64}};
};

template <>
struct trawl::Rules<trawl::server::RedisConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "url",
       .doc = "`redis://:password@host:port/0`: carries news between servers over one database, and who "
              "takes the "
              "next download. It holds nothing that matters: without it PostgreSQL does the same, slower.",
       .max = 4000,
       .secret = true,
       .check = server::check_redis_url}};
};

template <>
struct trawl::Rules<trawl::server::BrokerConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "url",
       .doc = "A queue that says which server takes the next download, in place of Redis: "
              "`sqs://sqs.eu-west-1.amazonaws.com/123456789012/trawl`.",
       .max = 4000,
       .check = server::check_queue_url},
      {.name = "access_key",
       .doc = "The access key id for the queue. Without it keys come from AWS_ACCESS_KEY_ID and "
              "AWS_SECRET_ACCESS_KEY, the container or the instance, in this order.",
       .max = 200},
      {.name = "secret_key", .doc = "The secret access key for the queue.", .max = 200, .secret = true}};
};

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
       .check = server::check_path}};
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
       .example = R"(["socks5://user:password@proxy.example:1080", "example.com=direct"])",
       .max = 1000,
       .secret = true,
       .check = server::check_route},
      {.name = "cool_down_sec",
       .doc = "Seconds a site is not asked again through a proxy after it refused (403, 429) or the proxy "
              "failed, when there is another way.",
       .min = 0,
       .max = 86'400}};
};

template <>
struct trawl::Rules<trawl::server::WebhookConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "enabled", .doc = "Whether a request may name a webhook_url and events are sent there."},
      {.name = "timeout_sec", .doc = "Seconds one attempt may take.", .min = 1, .max = 60},
      {.name = "attempts", .doc = "Attempts at one delivery before it is given up.", .min = 1, .max = 10},
      {.name = "backoff",
       .doc = "The pauses between attempts: 1, 2, 4, ... seconds, or those of Standard Webhooks (5 s, 5 min, "
              "30 min, 2 h, ... 24 h)."},
      {.name = "secret",
       .doc = "What deliveries are signed with: `whsec_` and base64, or any text of 16 characters. Name two "
              "while you change it, the new one first. Empty: auth.api_key; without that nothing is signed.",
       .max = 4,
       .secret = true,
       .check = server::check_webhook_secret},
      {.name = "allow_private_networks",
       .doc = "Whether webhooks may go to loopback, private and link-local addresses."}};
};

template <>
struct trawl::Rules<trawl::server::LogConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "level", .doc = "Lines below this level are not logged."},
      {.name = "format", .doc = "One JSON object per line for machines, or text for people."}};
};

template <>
struct trawl::Rules<trawl::server::MetricsConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "enabled", .doc = "Whether there is GET /metrics, for Prometheus."},
      {.name = "open", .doc = "Whether it asks for no key; without it the key has to be an admin's."}};
};

template <>
struct trawl::Rules<trawl::server::DocsConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "enabled",
       .doc = "Whether the API describes itself: /api/docs, /api/redoc and /api/openapi.json."}};
};

template <>
struct trawl::Rules<trawl::server::LogsConfig> {
  static constexpr FieldRule fields[] = {{.name = "max_lines_per_job",
                                          .doc = "Log lines kept for each download; the oldest go first.",
                                          .min = 10,
                                          .max = 100'000}};
};
