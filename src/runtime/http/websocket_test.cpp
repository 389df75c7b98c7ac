// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/http/client.hpp"
#include "runtime/http/testing/echo.hpp"
#include "runtime/testing/run.hpp"

namespace infiniedge::runtime::http {
namespace {

using testing::EchoServer;
using testing::TempDir;

Task<Result<std::shared_ptr<WebSocket>>> open(Client& client, std::string target,
                                              std::string protocol = "echo.v1") {
  co_return co_await client.websocket(std::move(target), std::move(protocol), Headers{},
                                      Seconds{10});
}

Task<Result<std::size_t>> echo(Client& client, std::vector<std::size_t> sizes) {
  auto socket = co_await open(client, "/ws");
  if (!socket) co_return socket.error();
  std::size_t same = 0;
  for (const auto size : sizes) {
    std::string message(size, '\0');
    for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<char>(i * 31);
    const auto sent = co_await (*socket)->send(message);
    if (!sent) co_return sent.error();
    const auto back = co_await (*socket)->receive();
    if (!back) co_return back.error();
    if (*back == message) ++same;
  }
  (*socket)->close();
  co_return same;
}

struct Caller {
  explicit Caller(const std::string& url, ClientOptions options = {})
      : client(std::move(
            *Client::make(context.get_executor(), *Url::parse(url), std::move(options)))) {}
  boost::asio::io_context context;
  std::unique_ptr<Client> client;
};

TEST(WebSocket, MessagesFromOneByteToOneMebibyteComeBack) {
  EchoServer server;
  Caller caller("ws://127.0.0.1:" + server.port());
  const auto same = runtime::testing::run(
      caller.context, echo(*caller.client, {1, 125, 126, 65535, 65536, 1U << 20}));
  ASSERT_TRUE(same) << same.error().describe();
  EXPECT_EQ(*same, 6U);
}

TEST(WebSocket, RunsOverTlsWithAPin) {
  TempDir dir;
  EchoServer server;
  const auto identity = testing::make_identity(dir, "server");
  Caller caller("wss://localhost:" + server.port(identity.files),
                {.fingerprint = identity.fingerprint, .tls13_only = true});
  const auto same =
      runtime::testing::run(caller.context, echo(*caller.client, {1, 100000, 4U << 20}));
  ASSERT_TRUE(same) << same.error().describe();
  EXPECT_EQ(*same, 3U);
}

TEST(WebSocket, AMessageOverTheLimitClosesIt) {
  EchoServer server({.max_message = 1000});
  Caller caller("ws://127.0.0.1:" + server.port());
  const auto same = runtime::testing::run(caller.context, echo(*caller.client, {1000, 1001}));
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code(), Code::Unavailable);
}

TEST(WebSocket, RefusalsAndOtherSubprotocolsAreTold) {
  EchoServer server;
  Caller caller("ws://127.0.0.1:" + server.port());
  const auto refused = runtime::testing::run(caller.context, open(*caller.client, "/other"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::Denied);
  const auto other = runtime::testing::run(caller.context, open(*caller.client, "/ws", "x.v9"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Code::Unsupported);
}

Task<Result<std::string>> say_bye(Client& client) {
  auto socket = co_await open(client, "/ws");
  if (!socket) co_return socket.error();
  const auto sent = co_await (*socket)->send("bye");
  if (!sent) co_return sent.error();
  co_return co_await (*socket)->receive();
}

TEST(WebSocket, TheEndOfTheOtherSideIsUnavailable) {
  EchoServer server;
  Caller caller("ws://127.0.0.1:" + server.port());
  const auto after = runtime::testing::run(caller.context, say_bye(*caller.client));
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code(), Code::Unavailable);
}

TEST(WebSocket, AHandshakeWithoutItsKeyIsRefused) {
  EchoServer server;
  const auto out = testing::raw(server.port(),
                                "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n");
  EXPECT_THAT(out, ::testing::StartsWith("HTTP/1.1 400 "));
}

}  // namespace
}  // namespace infiniedge::runtime::http
