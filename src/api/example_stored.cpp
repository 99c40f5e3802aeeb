#include "api/integrity_views.h"
#include "api/preview_routes.h"
#include "api/stored_views.h"
#include "api/system_views.h"

// The examples of the API's description that are about stored files, what a site says of a URL, and the
// system as a whole.
namespace trawl {
namespace {

using api::example_time;

constexpr const char* kJob = "01980000-0000-7000-8000-000000000001";
constexpr const char* kUrl = "https://example.com/watch?v=1";

api::ArtifactView artifact() {
  return {{.filename = "Title-1.mp4",
           .file_url = "/files/videos/Title-1.mp4",
           .file_path = "videos/Title-1.mp4",
           .size_bytes = 7'340'032,
           .format = "mp4",
           .mime_type = "video/mp4"},
          "01980000-0000-7000-8000-000000000004",
          media::Kind::video,
          "",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
          example_time(3600)};
}

api::StoredView stored() {
  api::StoredView view{artifact()};
  view.name = view.filename;
  view.path = view.file_path;
  view.size = view.size_bytes;
  view.job_id = kJob;
  view.created = view.modified = view.checked = example_time();
  return view;
}

downloads::FormatInfo format() {
  downloads::FormatInfo out;
  out.format_id = "22";
  out.ext = "mp4";
  out.resolution = "1280x720";
  out.fps = 30;
  out.vcodec = "avc1.64001F";
  out.acodec = "mp4a.40.2";
  out.filesize = 7'340'032;
  out.width = 1280;
  out.height = 720;
  out.protocol = "https";
  return out;
}

downloads::Medium medium() {
  downloads::Medium out;
  out.metadata.id = "1";
  out.metadata.title = "Title";
  out.metadata.duration = 212.5;
  out.metadata.webpage_url = kUrl;
  out.metadata.extractor = "generic";
  out.formats = {format()};
  out.subtitles = {{"en", {"vtt"}}};
  return out;
}

}  // namespace

json::value Example<api::StoredView>::make() {
  return encode(stored());
}
json::value Example<api::StoredListView>::make() {
  api::StoredListView view{api::page_numbers({}, 1)};
  view.files = {stored()};
  view.total = 1;
  view.total_bytes = stored().size;
  return encode(view);
}
json::value Example<api::IntegrityView>::make() {
  api::IntegrityView view{api::page_numbers({}, 1)};
  view.rate_bytes_per_second = 4 << 20;
  view.interval_days = 30;
  view.total_files = 2;
  view.total_bytes = 2 * stored().size;
  view.oldest_check = view.timestamp = example_time();
  view.corrupt = 1;
  view.files = {stored()};
  view.files.front().integrity = storage::Integrity::corrupt;
  return encode(view);
}
json::value Example<api::FilesView>::make() {
  return encode(api::FilesView{.id = kJob,
                               .job_id = kJob,
                               .request_id = kJob,
                               .status = "completed",
                               .files = {artifact()},
                               .results = {artifact()},
                               .total = 1});
}

json::value Example<api::FormatsView>::make() {
  return encode(api::formats_view(kUrl, medium()));
}
json::value Example<api::MetadataView>::make() {
  return encode(api::metadata_view(kUrl, medium(), example_time()));
}
json::value Example<api::InfoView>::make() {
  return encode(api::info_view(kUrl, medium()));
}
json::value Example<api::ValidateBody>::make() {
  return {{"url", kUrl}, {"inspect", true}};
}
json::value Example<api::ValidateView>::make() {
  return encode(api::ValidateView{.url = kUrl,
                                  .valid = true,
                                  .content_type = "video",
                                  .title = "Title",
                                  .extractor = "generic",
                                  .error = {},
                                  .error_code = {}});
}

json::value Example<api::StatsView>::make() {
  api::StatsView view;
  view.total_downloads = view.total_jobs = view.completed_downloads = 1;
  view.total_bytes_downloaded = view.storage_used_bytes = 7'340'032;
  view.average_download_time = 8;
  view.jobs_by_status = {{"completed", 1}};
  view.active_files = 1;
  view.storage_available_bytes = 129'386'348'544;
  view.uptime_seconds = 3600;
  view.started_at = example_time(-3600);
  view.requests_per_minute = 12;
  view.ytdlp_version = "2026.08.19";
  view.python_version = "3.11.2";
  view.timestamp = example_time();
  return encode(view);
}
json::value Example<api::StorageStatsView>::make() {
  return encode(api::StorageStatsView{.total_files = 1,
                                      .total_size_bytes = 7'340'032,
                                      .used_bytes = 7'340'032,
                                      .free_space = 129'386'348'544,
                                      .available_bytes = 129'386'348'544,
                                      .total_bytes = 214'748'364'800,
                                      .timestamp = example_time()});
}
json::value Example<api::CleanUpView>::make() {
  return encode(api::CleanUpView{.deleted_files = 1,
                                 .freed_bytes = 7'340'032,
                                 .message = "1 files were deleted, 0 leftovers removed",
                                 .timestamp = example_time()});
}
json::value Example<api::ConfigView>::make() {
  return encode(api::ConfigView{json::object{{"log", {{"level", "info"}}}}});
}
json::value Example<api::ServicesView>::make() {
  const api::ServiceView gateway{.service = "gateway",
                                 .status = "healthy",
                                 .timestamp = example_time(),
                                 .version = "1.0.0",
                                 .uptime = 3600,
                                 .metrics = {{"requests_per_minute", 12}},
                                 .dependencies = {"database"}};
  return encode(api::ServicesView{.status = "healthy",
                                  .role = "all",
                                  .services = {{"gateway", gateway}},
                                  .unhealthy_services = {},
                                  .timestamp = example_time()});
}
json::value Example<api::OverallView>::make() {
  return encode(api::OverallView{.job_queue = {.queue_length = 2, .active_jobs = 1, .total_jobs = 3},
                                 .active_downloads = {{std::string(kJob) + ".1", kJob, "host-1234-5f6a",
                                                       "running", "downloading", example_time()}},
                                 .analytics = {},
                                 .timestamp = example_time()});
}

}  // namespace trawl
