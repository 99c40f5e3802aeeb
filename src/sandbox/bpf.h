#pragma once

#include <cstddef>
#include <initializer_list>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <vector>

// Writes the little programs that seccomp runs at each system call.
namespace trawl::sandbox::bpf {

using Code = std::vector<sock_filter>;

inline sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<__u32>(offset));
}
inline sock_filter answer(__u32 action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}
// Arguments have 64 bits and a program reads 32: on the machines we know the low half comes first.
constexpr std::size_t low(int argument) {
  return offsetof(seccomp_data, args) + 8 * static_cast<std::size_t>(argument);
}
constexpr std::size_t high(int argument) {
  return low(argument) + 4;
}

inline void append(Code& code, std::initializer_list<sock_filter> more) {
  code.insert(code.end(), more.begin(), more.end());
}

// Runs `block`, which must end in an answer, when the number of the system call is `number`, which
// must have been loaded.
inline void on_call(Code& code, long number, const Code& block) {
  code.push_back(
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(number), 0, static_cast<__u8>(block.size())));
  code.insert(code.end(), block.begin(), block.end());
}

}  // namespace trawl::sandbox::bpf
