// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "device/testing/process.hpp"

namespace infiniedge::device::testing {

/// A real mosquitto on a free port of 127.0.0.1, with its own configuration folder.
class Broker {
 public:
  struct Options {
    bool tls = false;       ///< Certificates made by openssl: ca.pem, server.pem, server.key.
    bool password = false;  ///< User `edge` with password `secret`; nobody else.
    std::string acl{};      ///< Content of an access list.
  };

  Broker();
  explicit Broker(Options options);

  void start();
  void kill();
  /// Publishes with mosquitto_pub, a client that we did not write; false if it failed.
  bool publish(const std::string& topic, const std::string& message,
               std::vector<std::string> more = {}) const;
  /// Publishes the bytes of a file.
  bool publish_file(const std::string& topic, const std::string& file) const;

  std::string address() const;
  std::string ca() const { return (dir_.path() / "ca.pem").string(); }
  const TempDir& dir() const { return dir_; }
  std::uint16_t port() const { return port_; }
  /// False where the mosquitto package is not installed.
  static bool available();

 private:
  void make_certificates() const;

  TempDir dir_;
  Options options_;
  std::uint16_t port_;
  Process process_;
};

}  // namespace infiniedge::device::testing
