#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace trawl {

namespace asio = boost::asio;

// What every coroutine of Trawl returns.
template <class T = void>
using Task = asio::awaitable<T>;

// `auto [error, n] = co_await socket.async_read_some(buffer, as_result);` A failure is a value.
inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace trawl
