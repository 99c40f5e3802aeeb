#include "remux/av.h"

#include <array>
#include <cerrno>

#include <fmt/format.h>

namespace trawl::remux {

std::unexpected<Error> av_failure(const std::string& what, int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  const auto kind = code == AVERROR(ENOSPC) || code == AVERROR(EDQUOT) ? Errc::no_space
                    : code == AVERROR(EFBIG)                           ? Errc::too_large
                    : code == AVERROR(ENOMEM)                          ? Errc::internal
                                                                       : Errc::unsupported;
  return fail(kind, fmt::format("{}: {}", what, text.data()));
}

}  // namespace trawl::remux
