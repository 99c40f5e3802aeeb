#pragma once

#include <optional>
#include <string>

#include "api/common_views.h"
#include "downloads/extractor_outcomes.h"

namespace trawl::api {

struct QueueCheck {
  std::string status;
  std::int64_t running_jobs = 0, max_workers = 0;
  std::optional<std::int64_t> active_jobs, queued_jobs;  // Unknown while the database cannot be asked.
};
BOOST_DESCRIBE_STRUCT(QueueCheck, (), (status, running_jobs, max_workers, active_jobs, queued_jobs))

struct StorageCheck {
  std::string status;
  std::optional<double> available_gb, percent_used;
  std::optional<std::int64_t> used_bytes;
};
BOOST_DESCRIBE_STRUCT(StorageCheck, (), (status, available_gb, percent_used, used_bytes))

struct EngineCheck {
  std::string status, version, ffmpeg;
  std::vector<std::string> js_runtimes, pot_providers;  // What YouTube needs besides.
  std::optional<std::string> pot_provider;              // engine.pot_provider: reachable, unreachable.
};
BOOST_DESCRIBE_STRUCT(EngineCheck, (), (status, version, ffmpeg, js_runtimes, pot_providers, pot_provider))

struct SandboxCheck {
  std::string status, tier;
  bool private_users = false, network_namespace = false, cgroups = false;
};
BOOST_DESCRIBE_STRUCT(SandboxCheck, (), (status, tier, private_users, network_namespace, cgroups))

struct HealthChecks {
  QueueCheck queue;
  StorageCheck storage;
  EngineCheck ytdlp;
  SandboxCheck sandbox;
};
BOOST_DESCRIBE_STRUCT(HealthChecks, (), (queue, storage, ytdlp, sandbox))

struct HealthView {
  std::string status;  // healthy, degraded, unhealthy
  SystemTime timestamp;
  std::string version, environment;
  double uptime_seconds = 0;
  bool draining = false;
  HealthChecks checks;
};
BOOST_DESCRIBE_STRUCT(HealthView, (),
                      (status, timestamp, version, environment, uptime_seconds, draining, checks))

// Whether requests should be sent here: ready, draining, or what is wrong; or whether the process is alive.
struct ProbeView {
  std::string status;
};
BOOST_DESCRIBE_STRUCT(ProbeView, (), (status))

struct VersionView {
  std::string name, version, ytdlp_version, python_version, ffmpeg_version;
};
BOOST_DESCRIBE_STRUCT(VersionView, (), (name, version, ytdlp_version, python_version, ffmpeg_version))

// What stands at the root of the server.
struct AboutView {
  std::string name, version, api, docs, description, health;
};
BOOST_DESCRIBE_STRUCT(AboutView, (), (name, version, api, docs, description, health))

struct EngineView {
  bool healthy = false;
  std::string ytdlp_version, python_version, ffmpeg_version;
  std::vector<std::string> impersonate_targets, js_runtimes, pot_providers;
};
BOOST_DESCRIBE_STRUCT(EngineView, (),
                      (healthy, ytdlp_version, python_version, ffmpeg_version, impersonate_targets,
                       js_runtimes, pot_providers))

// How well each extractor of each yt-dlp works.
struct ExtractorsView {
  std::vector<downloads::ExtractorRecord> extractors;
};
BOOST_DESCRIBE_STRUCT(ExtractorsView, (), (extractors))

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::ExtractorsView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::HealthView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::ProbeView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::VersionView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::AboutView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::EngineView> {
  static json::value make();
};
