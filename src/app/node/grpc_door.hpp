// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/inference/grpc/service.hpp"
#include "api/rpc/server.hpp"
#include "app/node/door.hpp"
#include "app/node/node.hpp"

namespace infiniedge::app {

/// The gRPC door of a process: the same credentials, models and state as the HTTP doors.
///
/// Thread: the node's shard.
/// Owner:  serve(). What it refers to outlives it; close() before destruction.
class GrpcDoor {
 public:
  static constexpr std::string_view kDefaultAddress = "127.0.0.1:8001";

  GrpcDoor(World& world, Node& node, Door& door, api::inference::ProtocolState& state);

  /// `wanted`: empty for the default address, which may belong to another node: then there is no
  /// door, and a warning. An address that was asked for must be free.
  Result<void> listen(const std::string& wanted, const std::optional<runtime::http::TlsFiles>& tls);
  Task<void> close(Micros drain) { return server_.close(drain); }
  /// Where it listens; empty: nowhere.
  const std::string& address() const { return address_; }

 private:
  api::inference::grpc::Service service_;
  api::rpc::Server server_;
  std::string address_;
};

}  // namespace infiniedge::app
