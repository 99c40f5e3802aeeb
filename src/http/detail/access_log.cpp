#include "http/detail/access_log.h"

#include <cmath>

#include "base/log.h"

namespace trawl::http::detail {

AccessRecord::AccessRecord(const Request& request)
    : request_id(request.id),
      method(request.method),
      path(request.path),
      client_ip(request.remote),
      user_agent(request.headers.find("User-Agent").value_or("")) {}

void AccessRecord::write(int status, std::uint64_t bytes) const {
  const double millis = std::chrono::duration<double, std::milli>(elapsed()).count();
  log_info("request", {{"request_id", request_id},
                       {"method", method},
                       {"path", path},
                       {"client_ip", client_ip},
                       {"user_agent", user_agent},
                       {"status_code", status},
                       {"duration_ms", std::round(millis * 1000) / 1000},
                       {"bytes", bytes}});
}

}  // namespace trawl::http::detail
