// SPDX-License-Identifier: Apache-2.0
#include "runtime/http/testing/echo.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <future>

namespace infiniedge::runtime::http::testing {

Task<Response> EchoHandler::handle(Request request) {
  ++handled;
  Response response;
  if (request.path() == "/sse") {
    response.headers.add("Content-Type", "text/event-stream");
    response.stream = [this](std::shared_ptr<BodyWriter> writer) {
      return tick(std::move(writer));
    };
  } else if (request.path() == "/pour") {
    response.stream = [this](std::shared_ptr<BodyWriter> writer) {
      return pour(std::move(writer));
    };
  } else if (request.path() == "/throw") {
    throw std::runtime_error("on purpose");
  } else if (request.path() == "/slow") {
    const auto slept = co_await clock_.sleep_for(Seconds{30});
    if (!slept) response.status = 503;
  } else if (request.path() == "/who") {
    response.body = request.peer + (request.unix_peer_trusted ? " trusted" : "");
    for (const auto& name : request.client_names) response.body += " " + name;
  } else if (request.path() == "/inject") {
    response.headers.add("X-Echo", percent_decode(request.query()));
  } else {
    response.headers.add("X-Method", request.method);
    response.headers.add("X-Type", std::string(request.headers.get("content-type")));
    response.body = request.body->empty() ? request.target : *request.body;
  }
  co_return response;
}

Task<std::optional<Response>> EchoHandler::accept_websocket(const Request& request) {
  if (request.path() == "/ws") co_return std::nullopt;
  Response refusal{.status = 403, .body = "not here"};
  co_return std::move(refusal);
}

Task<void> EchoHandler::serve(Request, std::shared_ptr<WebSocket> socket) {
  while (auto message = co_await socket->receive()) {
    if (*message == "bye") co_return;
    const auto sent = co_await socket->send(std::move(*message));
    if (!sent) co_return;
  }
}

Task<void> EchoHandler::tick(std::shared_ptr<BodyWriter> writer) {
  struct AtEnd {
    std::atomic<int>& count;
    ~AtEnd() { ++count; }
  } const at_end{streams_ended};
  const auto sent = co_await writer->write("data: hello\n\n");
  if (!sent) co_return;
  const auto slept = co_await clock_.sleep_for(Seconds{3600});
  EXPECT_FALSE(slept);
}

Task<void> EchoHandler::pour(std::shared_ptr<BodyWriter> writer) {
  for (int i = 0; i < 64; ++i) {
    const auto sent = co_await writer->write(std::string(65536, 'x'));
    if (!sent) co_return;
  }
}

EchoServer::EchoServer(Server::Options options)
    : server_(Server::make(shard_.executor(), handler_, options)) {
  shard_.start();
}

EchoServer::~EchoServer() {
  std::promise<void> closed;
  boost::asio::co_spawn(shard_.executor(), server_->close(Millis{0}),
                        [&](std::exception_ptr) { closed.set_value(); });
  closed.get_future().wait();
  shard_.stop();
}

Result<std::uint16_t> EchoServer::listen(std::string address, std::optional<TlsFiles> tls) {
  std::promise<Result<std::uint16_t>> bound;
  boost::asio::post(shard_.executor(), [&] { bound.set_value(server_->listen(address, tls)); });
  return bound.get_future().get();
}

std::string EchoServer::port(std::optional<TlsFiles> tls) {
  const auto port = listen("127.0.0.1:0", std::move(tls));
  EXPECT_TRUE(port) << (port ? "" : port.error().describe());
  return port ? std::to_string(*port) : "0";
}

TempDir::TempDir() {
  std::string pattern = ::testing::TempDir() + "http.XXXXXX";
  path_ = ::mkdtemp(pattern.data());
}

std::string shell(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> piece;
  while (const auto n = std::fread(piece.data(), 1, piece.size(), pipe)) {
    out.append(piece.data(), n);
  }
  ::pclose(pipe);
  return out;
}

std::string raw(const std::string& port, const std::string& bytes, bool half_close) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string out;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (half_close) ::shutdown(fd, SHUT_WR);
    std::array<char, 4096> piece;
    for (ssize_t n = 0; (n = ::recv(fd, piece.data(), piece.size(), 0)) > 0;) {
      out.append(piece.data(), static_cast<std::size_t>(n));
    }
  }
  ::close(fd);
  return out;
}

Identity make_identity(const TempDir& dir, const std::string& name, std::string extra) {
  Identity identity{.files = {.cert = dir / (name + ".pem"), .key = dir / (name + ".key")}};
  std::vector<std::string> names{"localhost", "127.0.0.1"};
  if (!extra.empty()) names.push_back(std::move(extra));
  const auto made = make_self_signed(names, identity.files);
  EXPECT_TRUE(made) << (made ? "" : made.error().describe());
  if (made) identity.fingerprint = *made;
  return identity;
}

}  // namespace infiniedge::runtime::http::testing
