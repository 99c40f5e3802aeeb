#include "downloads/progress.h"

#include <algorithm>
#include <cmath>

namespace trawl::downloads {
namespace {

std::optional<double> sum(std::optional<double> a, std::optional<double> b) {
  return a && b ? *a + *b : a ? a : b;
}

}  // namespace

media::Progress together(const media::Progress& a, const media::Progress& b) {
  if (a.downloaded_bytes == 0 && !a.total_bytes) return b;
  if (b.downloaded_bytes == 0 && !b.total_bytes) return a;
  media::Progress out{.downloaded_bytes = a.downloaded_bytes + b.downloaded_bytes,
                      .speed = sum(a.speed, b.speed)};
  if (a.total_bytes && b.total_bytes) out.total_bytes = *a.total_bytes + *b.total_bytes;
  if (out.total_bytes && out.speed && *out.speed > 0) {
    out.eta = static_cast<double>(*out.total_bytes - out.downloaded_bytes) / *out.speed;
  }
  return out;
}

json::object progress_object(const media::Progress& progress) {
  json::object out = encode(progress).as_object();
  const bool known = progress.total_bytes && *progress.total_bytes > 0;
  const double share =
      known ? static_cast<double>(progress.downloaded_bytes) / static_cast<double>(*progress.total_bytes) : 0;
  out["percent"] = std::min(100.0, std::floor(share * 1000) / 10);
  return out;
}

json::object traffic_of(const net::EgressProxy::Pass& pass, std::int64_t native_bytes,
                        const net::Upstream* upstream) {
  const auto through_proxy = pass.traffic();
  json::object out{{"proxy_received_bytes", through_proxy.received},
                   {"proxy_sent_bytes", through_proxy.sent},
                   {"proxy_connections", through_proxy.connections},
                   {"native_bytes", native_bytes}};
  if (upstream) out["upstream"] = upstream->name();
  return out;
}

}  // namespace trawl::downloads
