// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "sync/link.hpp"

namespace infiniedge::sync {

/// What an Uplink resource says, secrets resolved.
struct UplinkOptions {
  std::string name;
  std::string address;            ///< https://HOST[:PORT] of the hub; the path is ours.
  std::string token{};            ///< Bearer token; empty: none. Never logged.
  std::string ca{};               ///< PEM file that must have signed the hub's certificate.
  std::string cert{}, key{};      ///< This node's certificate; empty: none.
  std::string fingerprint{};      ///< SHA-256 of the hub's certificate; empty: checked by `ca`.
  std::string order = "ordered";  ///< Or "live_first": the hub takes holes and fills them later.
  std::string node{};             ///< Name of this node, shown at the hub.
};

/// Opens WebSockets at the hub. Errors: Invalid for an address that cannot be used.
Result<std::unique_ptr<Dialer>> make_dialer(boost::asio::any_io_executor executor,
                                            UplinkOptions options);

}  // namespace infiniedge::sync
