#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/common_views.h"

namespace trawl::api {

// The names are those of all the earlier services.
struct StatsView {
  std::int64_t total_downloads = 0, total_jobs = 0;  // The same.
  std::int64_t total_bytes_downloaded = 0;
  std::int64_t active_downloads = 0;
  std::int64_t queued_downloads = 0, queue_size = 0;  // The same.
  std::int64_t failed_downloads = 0, completed_downloads = 0;
  double success_rate = 100;         // Percent of what ended well or badly.
  double average_download_time = 0;  // Seconds.
  std::map<std::string, std::int64_t> jobs_by_status;
  std::int64_t active_files = 0, storage_used_bytes = 0, storage_available_bytes = 0;
  double uptime_seconds = 0;
  SystemTime started_at;
  std::int64_t requests_per_minute = 0;
  std::string ytdlp_version, python_version;
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(StatsView, (),
                      (total_downloads, total_jobs, total_bytes_downloaded, active_downloads,
                       queued_downloads, queue_size, failed_downloads, completed_downloads, success_rate,
                       average_download_time, jobs_by_status, active_files, storage_used_bytes,
                       storage_available_bytes, uptime_seconds, started_at, requests_per_minute,
                       ytdlp_version, python_version, timestamp))

struct StorageStatsView {
  std::int64_t total_files = 0, total_size_bytes = 0;  // Of what is stored.
  std::int64_t used_bytes = 0;                         // Of the disk, as all that follows.
  std::int64_t free_space = 0, available_bytes = 0;    // The same.
  std::int64_t total_bytes = 0;
  std::string storage_path = "/files";
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(StorageStatsView, (),
                      (total_files, total_size_bytes, used_bytes, free_space, available_bytes, total_bytes,
                       storage_path, timestamp))

struct CleanUpView {
  std::string status = "completed";
  std::int64_t deleted_files = 0, freed_bytes = 0;  // For their age.
  std::int64_t swept = 0;                           // What had expired or was left behind.
  std::string message;
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(CleanUpView, (), (status, deleted_files, freed_bytes, swept, message, timestamp))

struct ConfigView {
  json::value config;
};
BOOST_DESCRIBE_STRUCT(ConfigView, (), (config))

struct ServiceView {
  std::string service, status;
  SystemTime timestamp;
  std::string version;
  double uptime = 0;
  json::object metrics;
  std::vector<std::string> dependencies;
};
BOOST_DESCRIBE_STRUCT(ServiceView, (), (service, status, timestamp, version, uptime, metrics, dependencies))

struct ServicesView {
  std::string status, role;
  std::map<std::string, ServiceView> services;
  std::vector<std::string> unhealthy_services;
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(ServicesView, (), (status, role, services, unhealthy_services, timestamp))

struct QueueNumbers {
  std::int64_t queue_length = 0, active_jobs = 0, total_jobs = 0;
};
BOOST_DESCRIBE_STRUCT(QueueNumbers, (), (queue_length, active_jobs, total_jobs))

struct TaskView {
  std::string task_id, job_id, worker, status, phase;
  SystemTime started_at;
};
BOOST_DESCRIBE_STRUCT(TaskView, (), (task_id, job_id, worker, status, phase, started_at))

struct OverallView {
  QueueNumbers job_queue;
  std::vector<TaskView> active_downloads;
  json::object analytics;  // Empty: kept for clients of the older path.
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(OverallView, (), (job_queue, active_downloads, analytics, timestamp))

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::StatsView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::StorageStatsView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::CleanUpView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::ConfigView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::ServicesView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::OverallView> {
  static json::value make();
};
