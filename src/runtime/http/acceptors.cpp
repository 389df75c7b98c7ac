// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/acceptors.hpp"

#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/log.hpp"

namespace infiniedge::runtime::http {

namespace asio = boost::asio;

Result<std::uint16_t> Acceptors::listen(const std::string& address, TlsContext tls) {
  auto listening = listen_on(scope_.executor(), address);
  if (!listening) return listening.error();
  const auto port = listening->port;
  auto& place = listeners_.emplace_back(std::move(*listening));
  scope_.spawn(accept_all(place, std::move(tls)));
  return port;
}

Task<void> Acceptors::accept_all(Listening& listener, TlsContext tls) {
  constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
  while (!closing_) {
    auto [failed, socket] = co_await listener.acceptor.async_accept(kAwait);
    if (closing_ || failed == asio::error::operation_aborted) co_return;
    if (failed) {
      // No descriptors or no memory: those that are open must end first.
      log(Level::Warning, "runtime.http", "cannot accept a connection",
          {{"error", failed.message()}});
      asio::steady_timer pause(scope_.executor(), std::chrono::milliseconds(100));
      co_await pause.async_wait(kAwait);
      continue;
    }
    accepted_(std::make_shared<Transport>(std::move(socket)), tls);
  }
}

void Acceptors::close() {
  closing_ = true;
  for (auto& listener : listeners_) {
    boost::system::error_code ignored;
    listener.acceptor.close(ignored);
    if (!listener.unix_path.empty()) ::unlink(listener.unix_path.c_str());
    listener.unix_path.clear();
  }
}

}  // namespace infiniedge::runtime::http
