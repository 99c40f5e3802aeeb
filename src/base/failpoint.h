#pragma once

// Places where a test can make the process die, to show that no moment is a bad one. They exist in
// builds with a sanitizer, which are the ones that tests run; elsewhere they are nothing at all.
//
// FAILPOINT=NAME in the environment ends the process at the first time it comes to NAME, with
// kFailpointStatus and without a word; NAME@3 at the third time. NAME@1:stop stops it there instead, as
// SIGSTOP does, until somebody lets it go on.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TRAWL_HAS_FAILPOINTS 1
#endif
#endif

namespace trawl {

inline constexpr int kFailpointStatus = 86;

#ifdef TRAWL_HAS_FAILPOINTS
void failpoint(const char* name);
#else
inline void failpoint(const char*) {}
#endif

}  // namespace trawl
