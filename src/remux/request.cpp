#include "remux/request.h"

#include <fmt/format.h>

namespace trawl::remux {
namespace {

constexpr std::size_t kMaxInputs = 16;

Result<void> check(const CopyRequest& copy) {
  const auto count = static_cast<std::int64_t>(copy.inputs.size());
  if (count == 0 || copy.inputs.size() > kMaxInputs)
    return fail(Errc::invalid, fmt::format("{} inputs; 1 to {} are possible", count, kMaxInputs));
  if (copy.output.empty()) return fail(Errc::invalid, "the output has no name");
  if (copy.map.empty()) return fail(Errc::invalid, "no stream is asked for");
  if (copy.tags_from < 0 || copy.tags_from >= count)
    return fail(Errc::invalid,
                fmt::format("tags_from is {}, but there are {} inputs", copy.tags_from, count));
  for (const auto& input : copy.inputs) {
    if (input.path == copy.output) return fail(Errc::invalid, copy.output + " is input and output");
  }
  for (const auto& selection : copy.map) {
    if (selection.input < 0 || selection.input >= count)
      return fail(Errc::invalid,
                  fmt::format("the map names input {}, but there are {}", selection.input, count));
    if (!selection.type.empty() && selection.type != "audio" && selection.type != "video")
      return fail(Errc::invalid, fmt::format("the map asks for streams of type '{}'", selection.type));
  }
  return {};
}

}  // namespace

Result<Request> parse_request(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return fail(value.error());
  auto request = decode<Request>(*value);
  if (!request) {
    std::string where;
    for (const auto& part : request.error().front().loc) where += (where.empty() ? "" : ".") + part;
    return fail(Errc::invalid, fmt::format("{} {}", where, request.error().front().msg));
  }
  if (request->copy.has_value() == request->probe.has_value())
    return fail(Errc::invalid, "a request has either copy or probe");
  if (request->copy) {
    if (const auto checked = check(*request->copy); !checked) return fail(checked.error());
  }
  return std::move(*request);
}

}  // namespace trawl::remux
