// SPDX-License-Identifier: Apache-2.0
#include "device/modbus/client.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include "device/deadline.hpp"
#include "device/modbus/frame.hpp"

namespace infiniedge::device::modbus {
namespace {

namespace asio = boost::asio;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr Micros kBusyPause{Millis{100}};

bool is_busy(std::string_view answer, std::string_view request) {
  const auto refused = exception_of(answer, static_cast<std::uint8_t>(request[0]));
  return refused && (refused->code == 5 || refused->code == 6);
}

}  // namespace

Client::Client(Environment environment, Options options)
    : environment_(environment),
      options_(std::move(options)),
      socket_(environment.executor),
      turn_(environment.executor) {}

Error Client::lost(const boost::system::error_code& error) {
  boost::system::error_code ignored;
  socket_.close(ignored);
  return {Code::Unavailable,
          fmt::format("the connection to {} is lost: {}", options_.device.text(), error.message())};
}

void Client::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

Task<Result<void>> Client::connect() {
  auto late = fmt::format("{} does not accept a connection", options_.device.text());
  co_return co_await within(environment_.clock, options_.timeout, open_socket(), std::move(late));
}

Task<Result<void>> Client::open_socket() {
  asio::ip::tcp::resolver resolver(environment_.executor);
  auto [unknown, places] = co_await resolver.async_resolve(
      options_.device.host, std::to_string(options_.device.port), kAwait);
  if (unknown) {
    co_return Error{Code::Unavailable, fmt::format("the name {} is not known: {}",
                                                   options_.device.host, unknown.message())};
  }
  auto [error, place] = co_await asio::async_connect(socket_, places, kAwait);
  if (error) {
    co_return Error{Code::Unavailable, fmt::format("cannot connect to {}: {}",
                                                   options_.device.text(), error.message())};
  }
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  co_return Result<void>{};
}

Task<Result<std::string>> Client::request(std::string pdu) {
  const auto hold = co_await turn_.take();
  for (int tries = options_.retries;; --tries) {
    auto answer = co_await exchange(pdu);
    const bool again = answer ? is_busy(*answer, pdu) : answer.error().code() == Code::Timeout;
    if (!again || tries <= 0) co_return answer;
    if (answer) INFINIEDGE_CO_TRY(co_await environment_.clock.sleep_for(kBusyPause));
  }
}

Task<Result<std::string>> Client::exchange(std::string pdu) {
  if (!socket_.is_open()) {
    co_return Error{Code::Unavailable,
                    fmt::format("there is no connection to {}", options_.device.text())};
  }
  const auto transaction = ++transaction_;
  auto late = fmt::format("{} does not answer function {}", options_.device.text(),
                          static_cast<std::uint8_t>(pdu[0]));
  auto answer = co_await within(environment_.clock, options_.timeout,
                                transact(frame(transaction, options_.unit, pdu), transaction),
                                std::move(late));
  if (!answer && answer.error().code() == Code::Corrupt) {
    close();
    co_return Error{Code::Unavailable, "the connection was closed", std::move(answer).error()};
  }
  co_return answer;
}

Task<Result<std::string>> Client::transact(std::string bytes, std::uint16_t transaction) {
  INFINIEDGE_CO_TRY(co_await send(std::move(bytes)));
  co_return co_await receive(transaction);
}

Task<Result<void>> Client::send(std::string bytes) {
  auto [error, sent] = co_await asio::async_write(socket_, asio::buffer(bytes), kAwait);
  if (error == asio::error::operation_aborted) {
    // Cut off in the middle of a frame, the device would take the next one for its rest.
    if (sent > 0 && sent < bytes.size()) close();
    co_return Error{Code::Cancelled, "sending was cancelled"};
  }
  if (error) co_return lost(error);
  co_return Result<void>{};
}

/// Answers to earlier requests, given up by now, are passed over.
Task<Result<std::string>> Client::receive(std::uint16_t transaction) {
  while (true) {
    while (received_.size() >= kHeader) {
      const auto header = parse_header(received_);
      if (!header) co_return header.error();
      const auto whole = kHeader - 1 + header->length;
      if (received_.size() < whole) break;
      auto pdu = received_.substr(kHeader, whole - kHeader);
      received_.erase(0, whole);
      if (header->transaction == transaction) co_return pdu;
    }
    std::array<char, 512> piece;
    auto [error, size] = co_await socket_.async_read_some(asio::buffer(piece), kAwait);
    if (error == asio::error::operation_aborted) {
      co_return Error{Code::Cancelled, "receiving was cancelled"};
    }
    if (error) co_return lost(error);
    received_.append(piece.data(), size);
  }
}

}  // namespace infiniedge::device::modbus
