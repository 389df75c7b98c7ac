// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>

#include "device/endpoint.hpp"
#include "device/environment.hpp"
#include "device/turn.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::device::modbus {

/// One Modbus TCP connection: a request at a time, answers matched by transaction number.
///
/// Flow:    Connector -> [Client] -> device
/// Thread:  shard-bound; nothing blocks.
/// Owner:   Connector; close() ends what is under way.
/// Errors:  Unavailable (refused, reset), Timeout after all retries, Corrupt (not Modbus; the
///          connection is closed).
class Client {
 public:
  struct Options {
    Endpoint device;
    std::uint8_t unit = 1;
    Micros timeout{Seconds{1}};
    int retries = 1;
  };

  Client(Environment environment, Options options);

  Task<Result<void>> connect();
  /// The response PDU, which may be an exception; 05 and 06 are asked again.
  Task<Result<std::string>> request(std::string pdu);
  void close();

 private:
  Task<Result<void>> open_socket();
  Task<Result<std::string>> exchange(std::string pdu);
  Task<Result<std::string>> transact(std::string bytes, std::uint16_t transaction);
  Task<Result<void>> send(std::string bytes);
  Task<Result<std::string>> receive(std::uint16_t transaction);
  Error lost(const boost::system::error_code& error);

  Environment environment_;
  Options options_;
  boost::asio::ip::tcp::socket socket_;
  Turn turn_;
  std::string received_;  ///< Bytes not yet understood; survives a timeout in mid-frame.
  std::uint16_t transaction_ = 0;
};

}  // namespace infiniedge::device::modbus
