// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "api/rpc/output.hpp"
#include "api/rpc/server.hpp"
#include "api/rpc/session.hpp"
#include "runtime/http/peer.hpp"
#include "runtime/http/tls.hpp"
#include "runtime/http/transport.hpp"

namespace infiniedge::api::rpc {

/// One client's connection: moves bytes between its socket and its session, and runs a handler
/// for every call.
///
/// Thread: the server's shard.
/// Owner:  shared by the server's list and its own coroutine.
/// Errors: none leave.
class Connection {
 public:
  Connection(std::shared_ptr<runtime::http::Transport> transport, Handler& handler,
             const Limits& limits, std::shared_ptr<Budget> budget);

  Task<void> run(runtime::http::TlsContext tls);
  /// No new calls; ends after those under way.
  void end_soon();

 private:
  Task<bool> open(runtime::http::TlsContext tls);
  Task<void> read_all();
  Task<void> serve(std::shared_ptr<Call> call);
  Task<void> write_rest(std::size_t written);
  Task<void> watch();
  void start_calls();
  void flush();
  bool send_now();

  std::shared_ptr<runtime::http::Transport> transport_;
  Handler& handler_;
  const Limits& limits_;
  std::shared_ptr<Budget> budget_;
  runtime::http::Peer peer_;
  std::optional<Output> output_;
  std::optional<Session> session_;
  std::vector<char> buffer_;
  bool receiving_ = false;  ///< Within put(): what is to be sent waits until its end.
  bool writing_ = false;
  bool broken_ = false;  ///< A write failed.
  runtime::Scope scope_;
};

}  // namespace infiniedge::api::rpc
