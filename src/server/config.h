#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "access/mode.h"
#include "base/bytes.h"
#include "base/describe.h"
#include "base/log.h"
#include "s3/bucket.h"
#include "webhooks/schedule.h"

namespace trawl::server {

// The configuration, one struct per section: member `port` of section `server` is the key
// `server.port`, the variable TRAWL_SERVER_PORT and the flag --server.port. Types and initial values
// are here; documentation, ranges and checks are in config_rules_*.h. Everything else (reading,
// refusing, printing, the reference page) is derived from these two, so a key is added in one place.
// A key belongs here only when something obeys it.

// What a process does of all that there is: `gateway` takes requests and runs no downloads, `worker`
// runs downloads and answers only for its own health.
enum class Role { all, gateway, worker };

struct ServerConfig {
  Role role = Role::all;
  std::string host = "0.0.0.0";
  int port = 8080;
  int io_threads = 2;
  std::string public_url;
  int shutdown_grace_sec = 30;
  std::vector<std::string> trusted_proxies;
  int hsts_seconds = 0;
  access::ProxyField proxy_header = access::ProxyField::x_forwarded_for;
  int linger_sec = 2;
  int keep_alive_sec = 15;
  std::string environment = "production";
  bool debug = false;
};
BOOST_DESCRIBE_STRUCT(ServerConfig, (),
                      (role, host, port, io_threads, public_url, shutdown_grace_sec, trusted_proxies,
                       hsts_seconds, proxy_header, linger_sec, keep_alive_sec, environment, debug))

struct AuthConfig {
  access::Mode mode = access::Mode::required;
  std::string api_key;
  std::string header = "X-API-Key";
  std::string bootstrap_token;
};
BOOST_DESCRIBE_STRUCT(AuthConfig, (), (mode, api_key, header, bootstrap_token))

struct LimitsConfig {
  bool enabled = true;  // Unless set: not where auth.mode is off.
  int ip_per_minute = 60;
  int ip_per_hour = 1000;
  int rps = 0;
  int burst = 5;
  int level_read_only = 100;
  int level_download = 10;
  int level_admin = 20;
  int level_full_access = 50;
  int level_anonymous = 5;
  std::string route_download = "2/s, 10/min";
  std::string route_playlist = "1/s, 5/min";
  std::string route_batch = "1/s, 3/min";
  int in_flight = 1024;
};
BOOST_DESCRIBE_STRUCT(LimitsConfig, (),
                      (enabled, ip_per_minute, ip_per_hour, rps, burst, level_read_only, level_download,
                       level_admin, level_full_access, level_anonymous, route_download, route_playlist,
                       route_batch, in_flight))

struct LinksConfig {
  std::string secret;
};
BOOST_DESCRIBE_STRUCT(LinksConfig, (), (secret))

struct CookiesConfig {
  std::string key;
  std::string key_file;
  std::vector<std::string> old_keys;
  std::vector<std::string> browsers;
  int expiry_warning_days = 7;
  int rotation_days = 30;
};
BOOST_DESCRIBE_STRUCT(CookiesConfig, (),
                      (key, key_file, old_keys, browsers, expiry_warning_days, rotation_days))

struct CorsConfig {
  std::vector<std::string> origins;
  bool credentials = false;
};
BOOST_DESCRIBE_STRUCT(CorsConfig, (), (origins, credentials))

enum class Backend { local, s3 };

struct StorageConfig {
  Backend backend = Backend::local;
  std::string dir = "./data";
  double retention_hours = 1;
  ByteCount quota_bytes;
  ByteCount low_disk_bytes{1LL << 30};
  ByteCount max_upload_bytes{2LL << 30};
  ByteCount scrub_rate_bytes{4LL << 20};
  double scrub_days = 30;
};
BOOST_DESCRIBE_STRUCT(StorageConfig, (),
                      (backend, dir, retention_hours, quota_bytes, low_disk_bytes, max_upload_bytes,
                       scrub_rate_bytes, scrub_days))

enum class FileDelivery { automatic, redirect, cdn, proxy };

struct S3Config {
  std::string bucket;
  std::string region = "us-east-1";
  std::string endpoint;
  std::string prefix;
  s3::Style style = s3::Style::automatic;
  std::string access_key, secret_key;
  std::string ca_file;
  FileDelivery delivery = FileDelivery::automatic;
  int url_ttl = 3600;
  std::string cdn_domain;
  std::string cdn_key_id;
  std::string cdn_key_file;
  int connections = 8;
  ByteCount part_bytes{16LL << 20};
  bool early_parts = true;
};
BOOST_DESCRIBE_STRUCT(S3Config, (),
                      (bucket, region, endpoint, prefix, style, access_key, secret_key, ca_file, delivery,
                       url_ttl, cdn_domain, cdn_key_id, cdn_key_file, connections, part_bytes, early_parts))

struct DbConfig {
  std::string url;  // Unless set: trawl.db in storage.dir; never empty once loaded.
  int connections = 8;
};
BOOST_DESCRIBE_STRUCT(DbConfig, (), (url, connections))

struct RedisConfig {
  std::string url;
};
BOOST_DESCRIBE_STRUCT(RedisConfig, (), (url))

struct BrokerConfig {
  std::string url, access_key, secret_key;
};
BOOST_DESCRIBE_STRUCT(BrokerConfig, (), (url, access_key, secret_key))

struct DownloadConfig {
  int max_concurrent = 10;
  int queue_max = 1000;
  int timeout_sec = 1800;
  int progress_timeout_sec = 300;
  ByteCount max_bytes{10LL << 30};
  int max_retries = 4;
  ByteCount rate_limit_bytes;
  std::string cookies_file;
  std::string format;
  bool audio_only = false;
  bool sponsorblock = false;
};
BOOST_DESCRIBE_STRUCT(DownloadConfig, (),
                      (max_concurrent, queue_max, timeout_sec, progress_timeout_sec, max_bytes, max_retries,
                       rate_limit_bytes, cookies_file, format, audio_only, sponsorblock))

struct BatchConfig {
  int max_entries = 5000;
};
BOOST_DESCRIBE_STRUCT(BatchConfig, (), (max_entries))

struct MetadataConfig {
  int cache_sec = 300;
  ByteCount cache_bytes{32LL << 20};
  bool public_info = false;
};
BOOST_DESCRIBE_STRUCT(MetadataConfig, (), (cache_sec, cache_bytes, public_info))

struct TransferConfig {
  bool native = true;
  int connections = 16;
  int connections_per_host = 16;
  ByteCount rate_limit_bytes;
  ByteCount rate_limit_per_host_bytes;
  int connect_timeout_sec = 10;
  int quiet_timeout_sec = 30;
  std::string ca_file;
};
BOOST_DESCRIBE_STRUCT(TransferConfig, (),
                      (native, connections, connections_per_host, rate_limit_bytes, rate_limit_per_host_bytes,
                       connect_timeout_sec, quiet_timeout_sec, ca_file))

struct JobsConfig {
  int lease_sec = 30;
  int max_running_per_owner = 0;
  int max_running_per_host = 0;
  int max_queued_per_owner = 0;
  double record_ttl_hours = 168;
};
BOOST_DESCRIBE_STRUCT(JobsConfig, (),
                      (lease_sec, max_running_per_owner, max_running_per_host, max_queued_per_owner,
                       record_ttl_hours))

struct BreakerConfig {
  int failures = 5;
  int failed_percent = 50;
  int min_calls = 20;
  int window_sec = 60;
  int open_sec = 30;
};
BOOST_DESCRIBE_STRUCT(BreakerConfig, (), (failures, failed_percent, min_calls, window_sec, open_sec))

struct DlqConfig {
  int max_deliveries = 10;
  int max_crashes = 3;
};
BOOST_DESCRIBE_STRUCT(DlqConfig, (), (max_deliveries, max_crashes))

struct EngineConfig {
  std::string python;
  std::string ytdlp_path;
  std::vector<std::string> plugin_dirs;
  std::string pot_provider;
  std::string update_index = "https://api.github.com/repos/yt-dlp/yt-dlp/releases/latest";
  int update_hours = 0;
  std::vector<std::string> smoke_urls;
};
BOOST_DESCRIBE_STRUCT(EngineConfig, (),
                      (python, ytdlp_path, plugin_dirs, pot_provider, update_index, update_hours, smoke_urls))

struct MediaConfig {
  std::string sponsorblock_api = "https://sponsor.ajay.app";
  int live_poll_sec = 60;
  int live_silence_sec = 120;
  std::string presets;
};
BOOST_DESCRIBE_STRUCT(MediaConfig, (), (sponsorblock_api, live_poll_sec, live_silence_sec, presets))

struct SandboxConfig {
  bool required = true;
  int first_uid = 59000;
  ByteCount memory_bytes{2LL << 30};
  ByteCount max_file_bytes{40LL << 30};
  int cpu_sec = 14400;
  std::vector<std::string> read_paths;
};
BOOST_DESCRIBE_STRUCT(SandboxConfig, (),
                      (required, first_uid, memory_bytes, max_file_bytes, cpu_sec, read_paths))

struct FfmpegConfig {
  std::string path;
};
BOOST_DESCRIBE_STRUCT(FfmpegConfig, (), (path))

struct PolicyConfig {
  std::vector<std::string> allowed_domains;
  std::vector<std::string> denied_domains;
  bool allow_youtube = true;
  bool youtube_only = false;
  bool allow_private_networks = false;
  std::vector<std::string> media_domains;
  std::vector<std::string> allow_addresses;
  std::vector<std::string> allowed_ports = {"80", "443", "1024-65535"};
};
BOOST_DESCRIBE_STRUCT(PolicyConfig, (),
                      (allowed_domains, denied_domains, allow_youtube, youtube_only, allow_private_networks,
                       media_domains, allow_addresses, allowed_ports))

struct UpstreamConfig {
  std::vector<std::string> proxies;
  int cool_down_sec = 300;
};
BOOST_DESCRIBE_STRUCT(UpstreamConfig, (), (proxies, cool_down_sec))

struct WebhookConfig {
  bool enabled = true;
  int timeout_sec = 10;
  int attempts = 3;
  webhooks::Backoff backoff = webhooks::Backoff::exponential;
  std::vector<std::string> secret;
  bool allow_private_networks = false;
};
BOOST_DESCRIBE_STRUCT(WebhookConfig, (),
                      (enabled, timeout_sec, attempts, backoff, secret, allow_private_networks))

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::json;
  std::string dir;
  ByteCount max_bytes{10LL << 20};
  int backups = 5;
};
BOOST_DESCRIBE_STRUCT(LogConfig, (), (level, format, dir, max_bytes, backups))

struct MetricsConfig {
  bool enabled = true;
  bool open = false;
  int port = 0;
};
BOOST_DESCRIBE_STRUCT(MetricsConfig, (), (enabled, open, port))

struct DocsConfig {
  bool enabled = true;
};
BOOST_DESCRIBE_STRUCT(DocsConfig, (), (enabled))

struct UiConfig {
  bool enabled = true;
  std::string static_dir;
};
BOOST_DESCRIBE_STRUCT(UiConfig, (), (enabled, static_dir))

struct LogsConfig {
  int max_lines_per_job = 2000;
};
BOOST_DESCRIBE_STRUCT(LogsConfig, (), (max_lines_per_job))

struct Config {
  ServerConfig server;
  AuthConfig auth;
  LimitsConfig limits;
  CorsConfig cors;
  LinksConfig links;
  CookiesConfig cookies;
  StorageConfig storage;
  S3Config storage_s3;  // The section `storage.s3`.
  DbConfig db;
  RedisConfig redis;
  BrokerConfig broker;
  DownloadConfig download;
  BatchConfig batch;
  MetadataConfig metadata;
  TransferConfig transfer;
  JobsConfig jobs;
  BreakerConfig breaker;
  DlqConfig dlq;
  EngineConfig engine;
  MediaConfig media;
  SandboxConfig sandbox;
  FfmpegConfig ffmpeg;
  PolicyConfig policy;
  UpstreamConfig upstream;
  WebhookConfig webhook;
  LogConfig log;
  LogsConfig logs;
  MetricsConfig metrics;
  DocsConfig docs;
  UiConfig ui;
};
BOOST_DESCRIBE_STRUCT(Config, (),
                      (server, auth, limits, cors, links, cookies, storage, storage_s3, db, redis, broker,
                       download, batch, metadata, transfer, jobs, breaker, dlq, engine, media, sandbox,
                       ffmpeg, policy, upstream, webhook, log, logs, metrics, docs, ui))

[[nodiscard]] bool postgres_url(std::string_view url);

// The file a checked db.url names: "sqlite:///trawl.db" is relative, "sqlite:////var/trawl.db" absolute.
[[nodiscard]] std::filesystem::path sqlite_file(std::string_view url);

}  // namespace trawl::server

template <>
struct trawl::EnumText<trawl::server::Backend> {
  using B = trawl::server::Backend;
  static constexpr std::pair<B, std::string_view> names[] = {{B::local, "local"}, {B::s3, "s3"}};
};

template <>
struct trawl::EnumText<trawl::server::FileDelivery> {
  using D = trawl::server::FileDelivery;
  static constexpr std::pair<D, std::string_view> names[] = {
      {D::automatic, "auto"}, {D::redirect, "redirect"}, {D::cdn, "cdn"}, {D::proxy, "proxy"}};
};

template <>
struct trawl::EnumText<trawl::server::Role> {
  using R = trawl::server::Role;
  static constexpr std::pair<R, std::string_view> names[] = {
      {R::all, "all"}, {R::gateway, "gateway"}, {R::worker, "worker"}};
};
