#pragma once

#include "base/describe.h"

namespace trawl::access {

// Whether requests need an API key: all but public ones do; or they may come without, as nobody in
// particular; or keys are not looked at and everybody may do everything.
enum class Mode { required, optional, off };

// The field in which proxies write whom a request is from; the other one is whatever the client liked to
// send.
enum class ProxyField { x_forwarded_for, forwarded };

}  // namespace trawl::access

template <>
struct trawl::EnumText<trawl::access::Mode> {
  using M = trawl::access::Mode;
  static constexpr std::pair<M, std::string_view> names[] = {
      {M::required, "required"}, {M::optional, "optional"}, {M::off, "off"}};
};

template <>
struct trawl::EnumText<trawl::access::ProxyField> {
  using P = trawl::access::ProxyField;
  static constexpr std::pair<P, std::string_view> names[] = {{P::x_forwarded_for, "x-forwarded-for"},
                                                             {P::forwarded, "forwarded"}};
};
