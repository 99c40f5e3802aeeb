#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

// What the guard reads of a confined process. Nothing here is trusted: it may change at any time, and
// so may the process behind the number.
namespace trawl::sandbox {

// Reads memory of a process as if we were its user: `owner` needs no right to look into everybody's.
[[nodiscard]] std::optional<std::size_t> read_memory(pid_t pid, uid_t owner, std::uint64_t address,
                                                     std::span<char> out);

// The flags of an open file (O_NONBLOCK, O_CLOEXEC); nothing when it is not open or cannot be seen.
[[nodiscard]] std::optional<int> file_flags(pid_t pid, uid_t owner, int fd);

// The flags in the text of /proc/PID/fdinfo/FD.
[[nodiscard]] std::optional<int> parse_file_flags(std::string_view fdinfo);

// Bytes of memory that nobody else pays for, in the text of /proc/PID/status: anonymous and shared.
[[nodiscard]] std::uint64_t parse_own_memory(std::string_view status);

// A small file of /proc; empty when it is gone.
[[nodiscard]] std::string read_proc(const std::string& path);

}  // namespace trawl::sandbox
