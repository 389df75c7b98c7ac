// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "infiniedge/task.hpp"

namespace infiniedge::runtime::testing {

/// Runs `task` to its end on `context`, on the calling thread, and returns its value.
/// For tests and small tools; everything else it spawned runs meanwhile.
template <class T>
T run(boost::asio::io_context& context, Task<T> task) {
  std::optional<T> out;
  std::exception_ptr failure;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error, T value) {
    failure = error;
    if (!error) out.emplace(std::move(value));
    context.stop();
  });
  context.restart();
  context.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*out);
}

inline void run(boost::asio::io_context& context, Task<void> task) {
  std::exception_ptr failure;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error) {
    failure = error;
    context.stop();
  });
  context.restart();
  context.run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace infiniedge::runtime::testing
