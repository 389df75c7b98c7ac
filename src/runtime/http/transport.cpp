// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/transport.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace infiniedge::runtime::http {

namespace asio = boost::asio;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kLingerBytes = 4U << 20;

/// A small answer must not wait for the acknowledgement of the one before.
void no_delay(Transport::Socket& socket, int family) {
  if (family != AF_INET && family != AF_INET6) return;
  boost::system::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
}

Transport::Buffers skip(Transport::Buffers buffers, std::size_t n) {
  for (auto& buffer : buffers) {
    const auto part = std::min(n, buffer.size());
    buffer += part;
    n -= part;
  }
  return buffers;
}

}  // namespace

Transport::Transport(Socket socket)
    : socket_(std::move(socket)), watchdog_(socket_.get_executor()) {
  boost::system::error_code failed;
  const auto local = socket_.is_open() ? socket_.local_endpoint(failed) : Protocol::endpoint{};
  if (socket_.is_open() && !failed) no_delay(socket_, local.data()->sa_family);
}

Task<Result<void>> Transport::connect(Protocol::endpoint endpoint) {
  boost::system::error_code ignored;
  socket_.close(ignored);
  auto [failed] = co_await socket_.async_connect(endpoint, kAwait);
  if (failed) co_return error(failed);
  no_delay(socket_, endpoint.data()->sa_family);
  co_return Result<void>{};
}

Task<Result<void>> Transport::accept_tls(asio::ssl::context& context) {
  tls_ = std::make_unique<Tls>(socket_, context);
  auto [failed] = co_await tls_->async_handshake(Tls::server, kAwait);
  if (failed) co_return tls_error(failed);
  co_return Result<void>{};
}

Task<Result<void>> Transport::connect_tls(asio::ssl::context& context, std::string host) {
  tls_ = std::make_unique<Tls>(socket_, context);
  boost::system::error_code not_address;
  asio::ip::make_address(host, not_address);
  auto* parameters = SSL_get0_param(ssl());
  if (not_address) {
    SSL_set_tlsext_host_name(ssl(), host.c_str());
    X509_VERIFY_PARAM_set1_host(parameters, host.data(), host.size());
  } else {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
  }
  auto [failed] = co_await tls_->async_handshake(Tls::client, kAwait);
  if (failed) co_return tls_error(failed);
  co_return Result<void>{};
}

Task<Result<std::size_t>> Transport::read_some(std::span<char> out) {
  auto [failed, n] = co_await async_read_some(asio::buffer(out.data(), out.size()), kAwait);
  if (failed) co_return error(failed);
  co_return n;
}

Task<Result<void>> Transport::write(Buffers buffers) {
  while (asio::buffer_size(buffers) > 0) {
    if (patience_ > Micros{0}) expire_after(patience_);
    // OpenSSL encrypts one buffer at a time and asserts on an empty one.
    if (buffers[0].size() == 0) std::swap(buffers[0], buffers[1]);
    auto [failed, n] = co_await async_write_some(buffers, kAwait);
    if (failed) co_return error(failed);
    buffers = skip(buffers, n);
  }
  if (patience_ > Micros{0}) never_expire();
  co_return Result<void>{};
}

Task<Result<void>> Transport::write_all(std::vector<asio::const_buffer> buffers) {
  for (std::size_t first = 0; first < buffers.size();) {
    if (buffers[first].size() == 0) {
      ++first;
      continue;
    }
    if (patience_ > Micros{0}) expire_after(patience_);
    const std::span<const asio::const_buffer> left(&buffers[first], buffers.size() - first);
    auto [failed, n] = co_await async_write_some(left, kAwait);
    if (failed) co_return error(failed);
    for (; n > 0; ++first) {
      const auto part = std::min(n, buffers[first].size());
      buffers[first] += part;
      n -= part;
      if (buffers[first].size() > 0) break;
    }
  }
  if (patience_ > Micros{0}) never_expire();
  co_return Result<void>{};
}

std::size_t Transport::write_now(const std::vector<asio::const_buffer>& buffers) {
  if (tls_) return 0;
  std::array<iovec, 16> parts;
  msghdr message{};
  message.msg_iov = parts.data();
  for (const auto& buffer : buffers) {
    if (message.msg_iovlen == parts.size()) break;
    parts[message.msg_iovlen++] = {const_cast<void*>(buffer.data()), buffer.size()};
  }
  const auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

Task<void> Transport::finish() {
  boost::system::error_code ignored;
  if (tls_) {
    // One-sided: the answer to close_notify is not worth waiting for.
    SSL_set_shutdown(ssl(), SSL_RECEIVED_SHUTDOWN);
    auto [failed] = co_await tls_->async_shutdown(kAwait);
    if (failed && failed == asio::error::operation_aborted) co_return;
  }
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  std::array<char, 16384> waste;
  for (std::size_t seen = 0; seen < kLingerBytes;) {
    auto [failed, n] = co_await socket_.async_read_some(asio::buffer(waste), kAwait);
    if (failed) break;
    seen += n;
  }
  close();
}

void Transport::expire_after(Micros from_now) {
  deadline_ = std::chrono::steady_clock::now() + from_now;
  if (deadline_ < watched_) watch();
}

void Transport::watch() {
  watched_ = deadline_;
  watchdog_.expires_at(watched_);
  watchdog_.async_wait([weak = weak_from_this(), this](boost::system::error_code failed) {
    const auto alive = weak.lock();
    if (failed || !alive) return;
    watched_ = Time::max();
    if (deadline_ == Time::max()) return;
    if (std::chrono::steady_clock::now() < deadline_) {
      watch();
      return;
    }
    timed_out_ = true;
    never_expire();
    cancel();
  });
}

void Transport::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close() {
  boost::system::error_code ignored;
  watchdog_.cancel();
  socket_.close(ignored);
}

bool Transport::idle_and_open() {
  char byte = 0;
  const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool Transport::other_side_left() {
  pollfd state{.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&state, 1, 0) == 1;
}

Error Transport::error(boost::system::error_code code) const {
  if (code == asio::error::operation_aborted || code == asio::error::bad_descriptor) {
    if (timed_out_) return {Code::Timeout, "no answer in time"};
    return {Code::Cancelled, "the operation was cancelled"};
  }
  if (code == asio::error::eof || code == asio::ssl::error::stream_truncated) {
    return {Code::Unavailable, "the other side closed the connection"};
  }
  // With TLS 1.3 a refused client certificate shows only on the first read.
  if (code.category() == asio::error::get_ssl_category()) return tls_error(code);
  return {Code::Unavailable, code.message()};
}

Error Transport::tls_error(boost::system::error_code code) const {
  if (code.category() != asio::error::get_ssl_category()) return error(code);
  const auto reason = ERR_GET_REASON(static_cast<unsigned long>(code.value()));
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    const auto result = SSL_get_verify_result(tls_->native_handle());
    return {Code::Denied, std::string("the certificate is not accepted: ") +
                              X509_verify_cert_error_string(result)};
  }
  const bool refused =
      reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ||
      (reason > SSL_AD_REASON_OFFSET && reason != SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
  return {refused ? Code::Denied : Code::Corrupt, "TLS failed: " + code.message()};
}

}  // namespace infiniedge::runtime::http
