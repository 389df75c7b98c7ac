// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/result.hpp"
#include "infiniedge/task.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::runtime::http {

/// Bytes over TCP or a Unix socket, with or without TLS: one type, so that HTTP and WebSocket
/// are compiled once. It also satisfies Beast's AsyncStream.
///
/// The deadline is a plain member checked by a timer that runs only now and then: moving it with
/// every request costs nothing.
///
/// Thread: one shard; one read and one write may be under way at a time.
/// Owner:  shared by a connection and the WebSocket that it may become.
/// Errors: Unavailable (closed, reset), Timeout (deadline passed), Cancelled, Denied (certificate).
class Transport : public std::enable_shared_from_this<Transport> {
 public:
  using Protocol = boost::asio::generic::stream_protocol;
  using Socket = Protocol::socket;
  using executor_type = boost::asio::any_io_executor;
  using Tls = boost::asio::ssl::stream<Socket&>;
  using Buffers = std::array<boost::asio::const_buffer, 2>;

  explicit Transport(boost::asio::any_io_executor executor) : Transport(Socket(executor)) {}
  explicit Transport(Socket socket);

  executor_type get_executor() { return socket_.get_executor(); }
  Socket& socket() { return socket_; }
  SSL* ssl() { return tls_ ? tls_->native_handle() : nullptr; }

  Task<Result<void>> connect(Protocol::endpoint endpoint);
  Task<Result<void>> accept_tls(boost::asio::ssl::context& context);
  /// `host`: for SNI and, unless verification is off in `context`, for the certificate's name.
  Task<Result<void>> connect_tls(boost::asio::ssl::context& context, std::string host);

  /// At least one byte. Errors: Unavailable at the end of the stream.
  Task<Result<std::size_t>> read_some(std::span<char> out);
  /// All of it. While it makes progress the deadline moves by patience(); then there is none. With
  /// a patience of zero the deadline stays as it is.
  Task<Result<void>> write(Buffers buffers);
  /// The same for any number of buffers. With TLS each is encrypted on its own.
  Task<Result<void>> write_all(std::vector<boost::asio::const_buffer> buffers);
  /// As much of it as the socket takes at once, without waiting; 0 with TLS or after a failure,
  /// which the next write() names. No write may be under way.
  std::size_t write_now(const std::vector<boost::asio::const_buffer>& buffers);
  /// Says goodbye (TLS close_notify or FIN) and reads what the other side still sends, so that
  /// it can read our last answer before the connection is reset. Bounded by the deadline.
  Task<void> finish();

  /// Pending operations fail with Timeout once `from_now` has passed.
  void expire_after(Micros from_now);
  void never_expire() { deadline_ = Time::max(); }
  bool timed_out() const { return timed_out_; }
  void set_patience(Micros patience) { patience_ = patience; }
  Micros patience() const { return patience_; }

  void cancel();
  void close();
  /// False when the other side has closed an idle connection or sent what nobody asked for.
  bool idle_and_open();
  /// True once the other side sends nothing more: it has closed, or the connection was reset.
  bool other_side_left();

  template <class MutableBuffers, class Token>
  auto async_read_some(const MutableBuffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const MutableBuffers& into) {
          if (tls_) {
            tls_->async_read_some(into, std::move(handler));
          } else {
            socket_.async_read_some(into, std::move(handler));
          }
        },
        token, buffers);
  }
  template <class ConstBuffers, class Token>
  auto async_write_some(const ConstBuffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const ConstBuffers& from) {
          if (tls_) {
            tls_->async_write_some(from, std::move(handler));
          } else {
            socket_.async_write_some(from, std::move(handler));
          }
        },
        token, buffers);
  }

 private:
  using Time = std::chrono::steady_clock::time_point;

  Error error(boost::system::error_code code) const;
  Error tls_error(boost::system::error_code code) const;
  void watch();

  Socket socket_;
  std::unique_ptr<Tls> tls_;
  boost::asio::steady_timer watchdog_;
  Time deadline_ = Time::max();
  Time watched_ = Time::max();  ///< When the watchdog looks next; max: it sleeps.
  Micros patience_{Seconds{30}};
  bool timed_out_ = false;
};

}  // namespace infiniedge::runtime::http
