// SPDX-License-Identifier: Apache-2.0
#include "runtime/scope.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/check.hpp"
#include "runtime/log.hpp"

namespace infiniedge::runtime {

namespace asio = boost::asio;

Scope::Scope(asio::any_io_executor executor)
    : executor_(std::move(executor)), drained_(executor_, asio::steady_timer::time_point::max()) {}

Scope::~Scope() {
  // A scope dropped while its loop still runs would leave coroutines with dangling references.
  // When the loop itself is gone, the io_context has destroyed them already.
  cancel();
}

void Scope::Child::cancel() {
  if (const auto signal = signal_.lock()) signal->emit(asio::cancellation_type::terminal);
}

Scope::Child Scope::spawn(Task<void> task) {
  Child out;
  if (cancelled_) return out;
  auto signal = std::make_shared<asio::cancellation_signal>();
  out.signal_ = signal;
  const auto child = children_.insert(children_.end(), std::move(signal));
  asio::co_spawn(
      executor_, std::move(task),
      asio::bind_cancellation_slot(
          (*child)->slot(), [this, child](std::exception_ptr error) { ended(child, error); }));
  return out;
}

void Scope::ended(Children::iterator child, std::exception_ptr error) {
  children_.erase(child);
  if (children_.empty()) drained_.cancel();
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    if (e.code() != asio::error::operation_aborted) {
      log(Level::Error, "runtime", "a coroutine ended with an exception", {{"error", e.what()}});
    }
  } catch (const std::exception& e) {
    log(Level::Error, "runtime", "a coroutine ended with an exception", {{"error", e.what()}});
  }
}

void Scope::cancel() {
  if (cancelled_) return;
  cancelled_ = true;
  for (auto child = children_.begin(); child != children_.end();) {
    // Emitting may end the coroutine at once and erase its entry.
    const auto signal = *child++;
    signal->emit(asio::cancellation_type::terminal);
  }
}

Task<void> Scope::close() {
  // The caller may itself be cancelled; draining must finish all the same.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  cancel();
  while (!children_.empty()) {
    co_await drained_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace infiniedge::runtime
