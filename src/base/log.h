#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/describe.h"
#include "base/json.h"
#include "base/result.h"

namespace trawl {

enum class LogLevel { trace, debug, info, warn, error, off };
template <>
struct EnumText<LogLevel> {
  static constexpr std::pair<LogLevel, std::string_view> names[] = {
      {LogLevel::trace, "TRACE"},  {LogLevel::debug, "DEBUG"}, {LogLevel::info, "INFO"},
      {LogLevel::warn, "WARN"},    {LogLevel::error, "ERROR"}, {LogLevel::off, "OFF"},
      {LogLevel::trace, "trace"},  {LogLevel::debug, "debug"}, {LogLevel::info, "info"},
      {LogLevel::warn, "WARNING"}, {LogLevel::warn, "warn"},   {LogLevel::warn, "warning"},
      {LogLevel::error, "error"},  {LogLevel::off, "off"}};
};

enum class LogFormat { json, text };
template <>
struct EnumText<LogFormat> {
  static constexpr std::pair<LogFormat, std::string_view> names[] = {{LogFormat::json, "json"},
                                                                     {LogFormat::text, "text"}};
};

// A name and anything encode() can print.
struct LogField {
  template <class T>
  LogField(std::string_view name, const T& v) : key(name), value(detail::write(v)) {}
  LogField(std::string_view name, const char* v) : key(name), value(detail::write(std::string_view(v))) {}
  LogField(std::string_view name, std::size_t v) : key(name), value(v) {}

  std::string_view key;
  json::value value;
};
using LogFields = std::initializer_list<LogField>;

// Which lines are kept, and how they look. They go to stderr.
void configure_log(LogLevel level, LogFormat format);

// Has the lines written to trawl.log in `folder` as well, which is made. A file that would become larger than
// `max_bytes` is kept as trawl.1.log, the one before as trawl.2.log, and so on for `backups` of them. Called
// once, before threads start. Errc::unavailable when that cannot be done.
[[nodiscard]] Result<void> log_to_folder(const std::filesystem::path& folder, std::size_t max_bytes,
                                         std::size_t backups);

// One line: {"timestamp","level","message", fields...}. Never pass secrets: nothing is masked here.
void log(LogLevel level, std::string_view message, LogFields fields = {});

inline void log_debug(std::string_view message, LogFields fields = {}) {
  log(LogLevel::debug, message, fields);
}
inline void log_info(std::string_view message, LogFields fields = {}) {
  log(LogLevel::info, message, fields);
}
inline void log_warn(std::string_view message, LogFields fields = {}) {
  log(LogLevel::warn, message, fields);
}
inline void log_error(std::string_view message, LogFields fields = {}) {
  log(LogLevel::error, message, fields);
}

}  // namespace trawl
