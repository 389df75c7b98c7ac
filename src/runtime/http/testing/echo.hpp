// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/clock.hpp"
#include "runtime/http/server.hpp"
#include "runtime/shard.hpp"

namespace infiniedge::runtime::http::testing {

/// Says back what it was asked; a few paths do what a test needs.
class EchoHandler final : public Handler {
 public:
  Task<Response> handle(Request request) override;
  Task<std::optional<Response>> accept_websocket(const Request& request) override;
  std::string websocket_protocol(const Request&) override { return "echo.v1"; }
  Task<void> serve(Request request, std::shared_ptr<WebSocket> socket) override;

  std::atomic<int> handled{0};
  std::atomic<int> streams_ended{0};

 private:
  Task<void> tick(std::shared_ptr<BodyWriter> writer);
  Task<void> pour(std::shared_ptr<BodyWriter> writer);
  SystemClock clock_;
};

/// A server with an EchoHandler on a shard of its own, closed at the end of the test.
class EchoServer {
 public:
  explicit EchoServer(Server::Options options = {});
  ~EchoServer();

  Result<std::uint16_t> listen(std::string address, std::optional<TlsFiles> tls = std::nullopt);
  /// 127.0.0.1:0; the port.
  std::string port(std::optional<TlsFiles> tls = std::nullopt);
  EchoHandler& handler() { return handler_; }

 private:
  EchoHandler handler_;
  Shard shard_{"echo"};
  std::unique_ptr<Server> server_;
};

/// A directory that goes away with the test.
class TempDir {
 public:
  TempDir();
  ~TempDir() { std::filesystem::remove_all(path_); }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

/// Standard output (and error, with 2>&1) of a shell command.
std::string shell(const std::string& command);

/// Sends `bytes` to a port, half-closes, and returns all that comes back until the end.
std::string raw(const std::string& port, const std::string& bytes, bool half_close = true);

/// A certificate for localhost, 127.0.0.1 and `extra` in `dir`.
struct Identity {
  TlsFiles files;
  std::string fingerprint;
};
Identity make_identity(const TempDir& dir, const std::string& name, std::string extra = "");

}  // namespace infiniedge::runtime::http::testing
