#include "sandbox/process_view.h"

#include <charconv>
#include <fcntl.h>
#include <sys/fsuid.h>
#include <unistd.h>

namespace trawl::sandbox {
namespace {

// The kernel lets a process look into another of its own user. The file system's user is enough for
// that, and unlike the other ones it lets nobody send us signals.
class AsUser {
 public:
  explicit AsUser(uid_t user)
      : group_(static_cast<gid_t>(::setfsgid(user))), user_(static_cast<uid_t>(::setfsuid(user))) {}
  ~AsUser() {
    ::setfsuid(user_);
    ::setfsgid(group_);
  }
  AsUser(const AsUser&) = delete;
  AsUser& operator=(const AsUser&) = delete;

 private:
  gid_t group_;
  uid_t user_;
};

std::string proc(pid_t pid, std::string_view rest) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(rest);
}

// The number after `name`, in base `base`.
template <class Number>
std::optional<Number> field(std::string_view text, std::string_view name, int base) {
  const std::size_t at = text.find(name);
  if (at == text.npos) return std::nullopt;
  const std::size_t begin = text.find_first_not_of(" \t", at + name.size());
  if (begin == text.npos) return std::nullopt;
  Number value{};
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), value, base);
  if (error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

std::string read_proc(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  char text[4096];
  const ssize_t size = ::read(file, text, sizeof text);
  ::close(file);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::optional<std::size_t> read_memory(pid_t pid, uid_t owner, std::uint64_t address, std::span<char> out) {
  const std::string path = proc(pid, "mem");
  const AsUser as(owner);
  const int memory = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (memory < 0) return std::nullopt;
  const ssize_t size = ::pread(memory, out.data(), out.size(), static_cast<off_t>(address));
  ::close(memory);
  return size < 0 ? 0 : static_cast<std::size_t>(size);
}

std::optional<int> file_flags(pid_t pid, uid_t owner, int fd) {
  const std::string path = proc(pid, "fdinfo/" + std::to_string(fd));
  const AsUser as(owner);
  return parse_file_flags(read_proc(path));
}

std::optional<int> parse_file_flags(std::string_view fdinfo) {
  return field<int>(fdinfo, "flags:", 8);
}

std::uint64_t parse_own_memory(std::string_view status) {
  constexpr std::uint64_t kKiB = 1024;
  return kKiB * (field<std::uint64_t>(status, "RssAnon:", 10).value_or(0) +
                 field<std::uint64_t>(status, "RssShmem:", 10).value_or(0));
}

}  // namespace trawl::sandbox
