#include "server/config_aliases.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <regex>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::server {
namespace {

using Converted = std::expected<std::string, std::string>;

Converted gibibytes(std::string_view text) {
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc{} || end != text.data() + text.size() || !(amount >= 0 && amount < 1e9)) {
    return std::unexpected("must be a number of GiB");
  }
  return fmt::format("{:.0f}", std::floor(amount * static_cast<double>(1LL << 30)));
}

std::optional<bool> truth(std::string_view text) {
  const std::string word = to_lower(trim(text));
  if (word == "true" || word == "1" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "0" || word == "no" || word == "off") return false;
  return std::nullopt;
}

Converted auth_mode(std::string_view text) {
  const auto wanted = truth(text);
  if (!wanted) return std::unexpected("must be true or false");
  return *wanted ? "required" : "off";
}

// The services Trawl replaces had "*" here, which opened them to every web page: nothing then.
Converted cors_origins(std::string_view text) {
  return trim(text) == "*" ? std::string() : std::string(text);
}

// SQLAlchemy names its driver in the scheme: sqlite+aiosqlite:///./file.db, postgresql+asyncpg://host/name
Converted database_url(std::string_view text) {
  const auto plus = text.find('+'), colon = text.find(':');
  if (plus == std::string_view::npos || colon == std::string_view::npos || plus > colon)
    return std::string(text);
  return fmt::format("{}{}", text.substr(0, plus), text.substr(colon));
}

Converted sqlite_url(std::string_view path) {
  return fmt::format("sqlite:///{}", path);
}
Converted https_url(std::string_view domain) {
  return fmt::format("https://{}", domain);
}
Converted lower(std::string_view text) {
  return to_lower(text);
}
Converted opposite(std::string_view text) {
  if (trim(text).empty()) return "true";
  const auto wanted = truth(text);
  if (!wanted) return std::unexpected("must be true or false");
  return *wanted ? "false" : "true";
}
// The service Trawl replaces chose its storage by where it ran: "aws", or anything else.
Converted backend_of(std::string_view environment) {
  return to_lower(trim(environment)) == "aws" ? "s3" : "local";
}
// Others read DEBUG as well, and give it values of their own.
Converted is_true(std::string_view text) {
  return truth(text).value_or(false) ? "true" : "false";
}
Converted log_level(std::string_view text) {
  const std::string word = to_lower(text);
  return word == "critical" ? "error" : word;
}

constexpr Alias kEnv[] = {
    {"HOST", "server.host"},
    {"YTD_API_HOST", "server.host"},
    {"PORT", "server.port"},
    {"YTD_API_PORT", "server.port"},
    {"WORKERS", "server.io_threads"},
    {"PUBLIC_BASE_URL", "server.public_url"},
    {"PUBLIC_URL", "server.public_url"},
    {"REQUIRE_API_KEY", "auth.mode", auth_mode},
    {"API_KEY", "auth.api_key"},
    {"API_KEY_HEADER", "auth.header"},
    {"BOOTSTRAP_SETUP_TOKEN", "auth.bootstrap_token"},
    {"RATE_LIMIT_PER_MINUTE", "limits.ip_per_minute"},
    {"RATE_LIMIT_PER_HOUR", "limits.ip_per_hour"},
    {"RATE_LIMIT_RPS", "limits.rps"},
    {"RATE_LIMIT_BURST", "limits.burst"},
    {"SECRET_KEY", "links.secret"},
    {"COOKIE_ENCRYPTION_KEY", "cookies.key"},
    {"COOKIE_EXPIRATION_WARNING_DAYS", "cookies.expiry_warning_days"},
    {"COOKIE_ROTATION_SCHEDULE_DAYS", "cookies.rotation_days"},
    {"CORS_ORIGINS", "cors.origins", cors_origins},
    {"CORS_ALLOW_CREDENTIALS", "cors.credentials"},
    {"STORAGE_DIR", "storage.dir"},
    {"DOWNLOAD_BASE_PATH", "storage.dir"},
    {"YTD_OUTPUT_PATH", "storage.dir"},
    {"STORAGE_PATH", "storage.dir"},
    {"DOWNLOAD_DIR", "storage.dir"},
    {"S3_BUCKET_NAME", "storage.s3.bucket"},
    {"S3_CLOUDFRONT_DOMAIN", "storage.s3.cdn_domain"},
    {"FILE_RETENTION_HOURS", "storage.retention_hours"},
    {"DATABASE_URL", "db.url", database_url},
    {"YTD_DB_PATH", "db.url", sqlite_url},
    {"DATABASE_POOL_SIZE", "db.connections"},
    {"REDIS_URL", "redis.url"},
    {"BROKER_URL", "broker.url"},
    {"MAX_CONCURRENT_DOWNLOADS", "download.max_concurrent"},
    {"YTD_MAX_WORKERS", "download.max_concurrent"},
    {"DEFAULT_TIMEOUT_SEC", "download.timeout_sec"},
    {"YTDLP_TIMEOUT", "download.timeout_sec"},
    {"DOWNLOAD_TIMEOUT", "download.timeout_sec"},
    {"YTD_TIMEOUT", "download.timeout_sec"},
    {"PROGRESS_TIMEOUT_SEC", "download.progress_timeout_sec"},
    {"YTDLP_PROGRESS_TIMEOUT", "download.progress_timeout_sec"},
    {"MAX_CONTENT_LENGTH", "download.max_bytes"},
    {"MAX_FILE_SIZE_BYTES", "download.max_bytes"},
    {"MAX_FILE_SIZE_GB", "download.max_bytes", gibibytes},
    {"YTD_MAX_RETRIES", "download.max_retries"},
    {"YTD_RATE_LIMIT", "download.rate_limit_bytes"},
    {"YTD_COOKIES_FILE", "download.cookies_file"},
    {"YTDLP_FORMAT", "download.format"},
    {"YTD_AUDIO_ONLY", "download.audio_only"},
    {"YTD_SPONSORBLOCK", "download.sponsorblock"},
    {"ALLOWED_DOMAINS", "policy.allowed_domains"},
    {"ALLOW_YT_DOWNLOADS", "policy.allow_youtube"},
    {"WEBHOOK_ENABLE", "webhook.enabled"},
    {"WEBHOOK_TIMEOUT", "webhook.timeout_sec"},
    {"WEBHOOK_TIMEOUT_SEC", "webhook.timeout_sec"},
    {"WEBHOOK_RETRY_ATTEMPTS", "webhook.attempts"},
    {"WEBHOOK_MAX_RETRIES", "webhook.attempts"},
    {"LOG_LEVEL", "log.level", log_level},
    {"ENABLE_METRICS", "metrics.enabled"},
    {"DISABLE_DOCS", "docs.enabled", opposite},
    {"STATIC_DIR", "ui.static_dir"},
    {"LOG_FORMAT", "log.format", lower},
    {"LOG_DIR", "log.dir"},
    {"LOG_FILE_MAX_BYTES", "log.max_bytes"},
    {"LOG_FILE_BACKUP_COUNT", "log.backups"},
    {"METRICS_PORT", "metrics.port"},
};

constexpr Alias kFile[] = {
    {"output_path", "storage.dir"},
    {"max_workers", "download.max_concurrent"},
    {"download_timeout", "download.timeout_sec"},
    {"max_retries", "download.max_retries"},
    {"throttled_rate", "download.rate_limit_bytes"},
    {"cookies_file", "download.cookies_file"},
    {"format_preference", "download.format"},
    {"audio_only", "download.audio_only"},
    {"enable_sponsorblock", "download.sponsorblock"},
};

constexpr Alias kPlatform[] = {{"RAILWAY_PUBLIC_DOMAIN", "server.public_url", https_url},
                               {"ENVIRONMENT", "storage.backend", backend_of},
                               {"ENVIRONMENT", "server.environment"},
                               {"DEBUG", "server.debug", is_true},
                               {"AWS_REGION", "storage.s3.region"}};

constexpr std::string_view kEnvWithoutEffect[] = {"RESULT_BACKEND",
                                                  "EXTRACT_FLAT",
                                                  "YT_DLP_UPDATE_CHECK",
                                                  "YTD_CONFIG_FILE",
                                                  "WEBHOOK_RETRY_DELAY",
                                                  "CLOUDWATCH_LOG_GROUP",
                                                  "ENABLE_XRAY",
                                                  "JOB_MANAGER_URL",
                                                  "DOWNLOAD_WORKER_URL",
                                                  "STORAGE_SERVICE_URL",
                                                  "ANALYTICS_SERVICE_URL",
                                                  "COOKIE_S3_BUCKET",
                                                  "COOKIE_REFRESH_INTERVAL",
                                                  "COOKIE_VALIDATION_ENABLED",
                                                  "COOKIE_BACKUP_COUNT",
                                                  "COOKIE_TEMP_DIR",
                                                  "COOKIE_RATE_LIMIT_WINDOW",
                                                  "COOKIE_RATE_LIMIT_REQUESTS",
                                                  "COOKIE_INTEGRITY_CHECKS_ENABLED",
                                                  "COOKIE_CACHE_TTL_MINUTES",
                                                  "COOKIE_ALERT_THRESHOLD",
                                                  "COOKIE_BACKOFF_INITIAL_DELAY",
                                                  "COOKIE_BACKOFF_MAX_DELAY",
                                                  "COOKIE_BACKOFF_FACTOR",
                                                  "COOKIE_DEBUG_LOGGING"};

constexpr std::string_view kFileWithoutEffect[] = {"enable_modern_features",
                                                   "live_stream_support",
                                                   "use_playlist_subdir",
                                                   "download_subtitles",
                                                   "embed_subtitles",
                                                   "embed_thumbnail",
                                                   "embed_metadata",
                                                   "write_description",
                                                   "use_proxy",
                                                   "sleep_interval",
                                                   "split_chapters",
                                                   "concurrent_fragments",
                                                   "use_aria2",
                                                   "geo_bypass",
                                                   "age_limit",
                                                   "archive_file",
                                                   "restrict_filenames",
                                                   "trim_file_name",
                                                   "user_agent",
                                                   "referer"};

}  // namespace

std::span<const Alias> env_aliases() {
  return kEnv;
}
std::span<const Alias> file_aliases() {
  return kFile;
}
std::span<const Alias> platform_aliases() {
  return kPlatform;
}

bool env_without_effect(std::string_view name) {
  return std::ranges::find(kEnvWithoutEffect, name) != std::end(kEnvWithoutEffect);
}

bool file_key_without_effect(std::string_view name) {
  return std::ranges::find(kFileWithoutEffect, name) != std::end(kFileWithoutEffect);
}

bool injected_by_orchestrator(std::string_view name, std::string_view value) {
  static const std::regex service("TRAWL(_[A-Z0-9_]+)?_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)");
  static const std::regex link("TRAWL(_[A-Z0-9_]+)?_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?");
  static const std::regex address("(tcp|udp|sctp)://[^/]+:[0-9]+");
  const std::string text(name);
  if (std::regex_match(text, service) || std::regex_match(text, link)) return true;
  return name.ends_with("_PORT") && value.size() < 300 && std::regex_match(std::string(value), address);
}

}  // namespace trawl::server
