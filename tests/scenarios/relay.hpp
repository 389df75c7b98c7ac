// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <list>
#include <memory>
#include <thread>

namespace infiniedge::tests {

/// A TCP link that can be cut: passes bytes between its port and another one on loopback.
///
/// Thread: its own; the public calls may come from any.
class Relay {
 public:
  explicit Relay(std::uint16_t target);
  ~Relay();

  std::uint16_t port() const { return port_; }
  /// Drops every connection and refuses new ones until mend().
  void cut();
  void mend();

 private:
  struct Pair;
  void accept();
  void drop_all();

  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_, target_;
  bool cut_ = false;
  std::list<std::weak_ptr<Pair>> pairs_;
  std::thread thread_;
};

}  // namespace infiniedge::tests
