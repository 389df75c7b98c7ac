// SPDX-License-Identifier: Apache-2.0
#include "app/node/grpc_door.hpp"

#include <fmt/format.h>

#include "runtime/log.hpp"

namespace infiniedge::app {

namespace http = runtime::http;

GrpcDoor::GrpcDoor(World& world, Node& node, Door& door, api::inference::ProtocolState& state)
    : service_({node.models(), state, world.compute, world.metrics},
               [&door](const api::rpc::Head& head, bool steers) {
                 return door.refuse_call(head, steers);
               }),
      server_(world.shard.executor(), service_, api::rpc::Limits{}) {}

Result<void> GrpcDoor::listen(const std::string& wanted, const std::optional<http::TlsFiles>& tls) {
  const auto address = wanted.empty() ? std::string{kDefaultAddress} : wanted;
  const auto port = server_.listen(address, tls);
  if (port) {
    const auto host = address.substr(0, address.rfind(':'));
    address_ = address.starts_with("unix:") ? address : fmt::format("{}:{}", host, *port);
    return {};
  }
  if (!wanted.empty()) {
    return Error{port.error().code(), "the gRPC door cannot open; choose another --grpc",
                 port.error()};
  }
  runtime::log(runtime::Level::Warning, "app", "no gRPC door; choose an address with --grpc",
               {{"error", port.error().describe()}});
  return {};
}

}  // namespace infiniedge::app
