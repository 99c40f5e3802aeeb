#include "base/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"

namespace trawl {
namespace {

struct Output {
  std::shared_ptr<spdlog::logger> logger = [] {
    auto made = spdlog::stderr_logger_mt("trawl");
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  LogFormat format = LogFormat::json;
};

Output& output() {
  static Output instance;
  return instance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

// spdlog's own patterns do not escape JSON, so the line is printed by the JSON library.
std::string json_line(LogLevel level, std::string_view message, LogFields fields) {
  json::object line{{"timestamp", to_iso8601(SystemClock().now())},
                    {"level", to_text(level)},
                    {"message", to_valid_utf8(message)}};
  for (const LogField& field : fields) line[field.key] = field.value;
  return json::serialize(line);
}

std::string text_line(LogLevel level, std::string_view message, LogFields fields) {
  std::string line = fmt::format("{} {:5} {}", to_iso8601(SystemClock().now()), to_text(level), message);
  for (const LogField& field : fields) line += fmt::format(" {}={}", field.key, json::serialize(field.value));
  return line;
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
  output().logger->set_level(to_spdlog(level));
  output().format = format;
}

Result<void> log_to_folder(const std::filesystem::path& folder, std::size_t max_bytes, std::size_t backups) {
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>((folder / "trawl.log").string(),
                                                                       max_bytes, backups);
    sink->set_pattern("%v");
    output().logger->sinks().push_back(std::move(sink));
    return {};
  } catch (const spdlog::spdlog_ex& failure) {
    return fail(Errc::unavailable, fmt::format("log.dir: {}", failure.what()));
  }
}

void log(LogLevel level, std::string_view message, LogFields fields) {
  Output& out = output();
  const auto severity = to_spdlog(level);
  if (!out.logger->should_log(severity)) return;
  out.logger->log(severity, out.format == LogFormat::json ? json_line(level, message, fields)
                                                          : text_line(level, message, fields));
}

}  // namespace trawl
