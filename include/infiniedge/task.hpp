// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>

namespace infiniedge {

/// A coroutine bound to the shard that awaits it. It starts when awaited or when given to
/// runtime::Scope::spawn, and it owns its arguments: take them by value unless the caller
/// awaits it at once.
template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace infiniedge
