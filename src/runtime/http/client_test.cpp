// SPDX-License-Identifier: Apache-2.0
// The client against our server and against servers that we did not write.
#include "runtime/http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>

#include "runtime/http/testing/echo.hpp"
#include "runtime/scope.hpp"
#include "runtime/testing/run.hpp"

namespace infiniedge::runtime::http {
namespace {

using testing::EchoServer;
using ::testing::HasSubstr;
using testing::shell;
using testing::TempDir;

/// A client and its loop, on the test's own thread.
struct Caller {
  explicit Caller(const std::string& url, ClientOptions options = {}) {
    auto parsed = Url::parse(url);
    EXPECT_TRUE(parsed);
    auto made = Client::make(context.get_executor(), *parsed, std::move(options));
    EXPECT_TRUE(made) << (made ? "" : made.error().describe());
    if (made) client = std::move(*made);
  }
  Result<Response> send(std::string method, std::string target, std::string body = "",
                        Micros timeout = Seconds{10}) {
    Request request{.method = std::move(method), .target = std::move(target)};
    request.body = std::make_shared<const std::string>(std::move(body));
    return runtime::testing::run(context, client->send(std::move(request), timeout));
  }
  Result<Response> get(std::string target) { return send("GET", std::move(target)); }

  boost::asio::io_context context;
  std::unique_ptr<Client> client;
};

std::string body(const Result<Response>& response) {
  return response ? response->body : response.error().describe();
}

/// A server process of a shell command, ended with the test. `ready`: what it prints first.
class Process {
 public:
  explicit Process(const std::string& command) : pipe_(::popen(command.c_str(), "r")) {}
  ~Process() { ::pclose(pipe_); }
  std::string line() {
    std::array<char, 256> text{};
    return std::fgets(text.data(), text.size(), pipe_) != nullptr ? text.data() : "";
  }

 private:
  FILE* pipe_;
};

/// Runs a Python program that has `s`, a listening socket, and has printed its port.
class PythonServer {
 public:
  explicit PythonServer(const std::string& body) {
    std::ofstream(dir_ / "server.py") << "import socket\ns = socket.socket()\n"
                                         "s.bind(('127.0.0.1', 0))\ns.listen()\n"
                                         "print(s.getsockname()[1], flush=True)\n"
                                      << body;
    process_.emplace("timeout 20 python3 " + (dir_ / "server.py"));
    port_ = process_->line();
    port_.pop_back();
  }
  const std::string& port() const { return port_; }

 private:
  TempDir dir_;
  std::optional<Process> process_;
  std::string port_;
};

TEST(Client, RequestsAndAnswersOfEverySizePassUnchanged) {
  EchoServer server;
  Caller caller("http://127.0.0.1:" + server.port());
  for (const std::size_t size : {1U, 1000U, 16384U, 16385U, 70000U, 3000000U}) {
    const auto response = caller.send("POST", "/", std::string(size, 'q'));
    ASSERT_TRUE(response) << response.error().describe();
    EXPECT_EQ(response->body, std::string(size, 'q'));
  }
  EXPECT_EQ(caller.send("HEAD", "/abc")->headers.get("content-length"), "4");
  EXPECT_EQ(caller.send("DELETE", "/abc")->headers.get("x-method"), "DELETE");
  EXPECT_EQ(body(caller.get("/after")), "/after");
}

TEST(Client, PythonsServerIsReadWithItsHttp10Answers) {
  TempDir dir;
  std::ofstream(dir / "hello.txt") << "hello";
  Process server("cd " + (dir / "") +
                 " && timeout 20 python3 -u -c \"\nimport http.server\n"
                 "h=http.server.HTTPServer(('127.0.0.1',0),"
                 "http.server.SimpleHTTPRequestHandler)\nprint(h.server_address[1])\n"
                 "[h.handle_request() for i in range(2)]\n\" 2>/dev/null");
  auto port = server.line();
  port.pop_back();
  Caller caller("http://127.0.0.1:" + port);
  EXPECT_EQ(body(caller.get("/hello.txt")), "hello");
  EXPECT_EQ(caller.get("/none")->status, 404);
}

TEST(Client, AStaleConnectionIsReplacedForIdempotentRequestsOnly) {
  // Answers with the number of the request, but hangs up on the second and the fifth.
  PythonServer server(R"(
n = 0
while n < 5:
    c = s.accept()[0]
    while d := c.recv(9999):
        n += 1
        if n in (2, 5): break
        c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d' % n)
    c.close()
)");
  Caller caller("http://127.0.0.1:" + server.port());
  EXPECT_EQ(body(caller.get("/")), "1");
  EXPECT_EQ(body(caller.get("/")), "3");  // 2 was hung up on.
  EXPECT_EQ(body(caller.get("/")), "4");
  const auto post = caller.send("POST", "/", "x");
  ASSERT_FALSE(post);
  EXPECT_EQ(post.error().code(), Code::Unavailable);
}

TEST(Client, TimesOutAndCanBeUsedAgain) {
  EchoServer server;
  Caller caller("http://127.0.0.1:" + server.port());
  const auto slow = caller.send("GET", "/slow", "", Millis{50});
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code(), Code::Timeout);
  EXPECT_EQ(body(caller.get("/ok")), "/ok");
}

TEST(Client, NothingListeningIsUnavailableAndNamed) {
  Caller caller("http://127.0.0.1:1");
  const auto response = caller.get("/");
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code(), Code::Unavailable);
  EXPECT_THAT(response.error().describe(), HasSubstr("127.0.0.1:1"));
}

TEST(Client, ABodyOverTheLimitIsExhaustedAndGarbageIsCorrupt) {
  EchoServer server;
  Caller caller("http://127.0.0.1:" + server.port(), {.max_body = 1000});
  EXPECT_EQ(caller.get("/pour").error().code(), Code::Exhausted);
  EXPECT_EQ(caller.send("POST", "/", std::string(2000, 'x')).error().code(), Code::Exhausted);
  PythonServer garbage("c = s.accept()[0]\nc.sendall(b'SSH-2.0-x\\r\\n\\r\\n')\nc.recv(99)\n");
  Caller other("http://127.0.0.1:" + garbage.port());
  EXPECT_EQ(other.get("/").error().code(), Code::Corrupt);
}

TEST(Client, StreamsInPiecesAndStopsWhenAsked) {
  EchoServer server;
  Caller caller("http://127.0.0.1:" + server.port());
  std::size_t seen = 0;
  const auto whole = runtime::testing::run(
      caller.context, caller.client->send_streaming({.method = "GET", .target = "/pour"},
                                                    Seconds{10}, {[&](std::string_view piece) {
                                                      seen += piece.size();
                                                      return true;
                                                    }}));
  EXPECT_TRUE(whole) << body(whole);
  EXPECT_EQ(seen, 64U * 65536U);
  std::string first;
  int status = 0;
  const auto cut = runtime::testing::run(
      caller.context,
      caller.client->send_streaming({.method = "GET", .target = "/sse"}, Seconds{10},
                                    {[&](std::string_view piece) {
                                       EXPECT_EQ(status, 200);
                                       first += piece;
                                       return false;
                                     },
                                     [&](const Response& head) { status = head.status; }}));
  EXPECT_EQ(first, "data: hello\n\n");
  EXPECT_EQ(cut.error().code(), Code::Cancelled);
}

Task<void> get_into(Client& client, std::optional<Code>& code) {
  Request request{.method = "GET", .target = "/slow"};
  auto response = co_await client.send(std::move(request), Seconds{60});
  code = response ? Code::Internal : response.error().code();
}

Task<void> close(Scope& scope) { co_await scope.close(); }

TEST(Client, CancellingTheCallerEndsItsRequest) {
  EchoServer server;
  Caller caller("http://127.0.0.1:" + server.port());
  Scope scope(caller.context.get_executor());
  std::optional<Code> code;
  scope.spawn(get_into(*caller.client, code));
  while (server.handler().handled == 0) {
    caller.context.restart();
    caller.context.run_for(std::chrono::milliseconds(5));
  }
  runtime::testing::run(caller.context, close(scope));
  EXPECT_EQ(code, Code::Cancelled);
}

TEST(Client, UnixSocketWorks) {
  TempDir dir;
  EchoServer server;
  ASSERT_TRUE(server.listen("unix:" + (dir / "s")));
  Caller caller("unix:" + (dir / "s"));
  EXPECT_EQ(body(caller.get("/who")), " trusted");
  EXPECT_EQ(body(caller.get("/again")), "/again");
}

TEST(ClientTls, TheChainOrThePinDecides) {
  TempDir dir;
  EchoServer server;
  const auto identity = testing::make_identity(dir, "server");
  const auto other = testing::make_identity(dir, "other");
  const auto url = "https://localhost:" + server.port(identity.files);
  EXPECT_EQ(body(Caller(url, {.ca = identity.files.cert}).get("/a")), "/a");
  EXPECT_EQ(body(Caller(url, {.fingerprint = identity.fingerprint}).get("/b")), "/b");
  EXPECT_EQ(Caller(url, {.ca = other.files.cert}).get("/").error().code(), Code::Denied);
  EXPECT_EQ(Caller(url).get("/").error().code(), Code::Denied);
  const auto wrong = Caller(url, {.fingerprint = other.fingerprint}).get("/");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), Code::Denied);
  EXPECT_THAT(wrong.error().message(), HasSubstr(identity.fingerprint));
  EXPECT_THAT(wrong.error().message(), HasSubstr(other.fingerprint));
  EXPECT_EQ(server.handler().handled, 2);
}

TEST(ClientTls, OpenSslsServerIsSpokenToAndAWrongNameIsDenied) {
  TempDir dir;
  TlsFiles files{.cert = dir / "c.pem", .key = dir / "c.key"};
  ASSERT_TRUE(make_self_signed({"127.0.0.1", "elsewhere.example"}, files));
  const auto free_port = [] {
    boost::asio::io_context context;
    boost::asio::ip::tcp::acceptor acceptor(context, {boost::asio::ip::address_v4::loopback(), 0});
    return std::to_string(acceptor.local_endpoint().port());
  }();
  Process server("timeout 20 openssl s_server -www -naccept 2 -cert " + files.cert + " -key " +
                 files.key + " -accept 127.0.0.1:" + free_port + " 2>&1");
  while (server.line().find("ACCEPT") == std::string::npos) {
  }
  EXPECT_EQ(Caller("https://localhost:" + free_port, {.ca = files.cert}).get("/").error().code(),
            Code::Denied);
  const auto page = Caller("https://127.0.0.1:" + free_port, {.ca = files.cert}).get("/");
  ASSERT_TRUE(page) << page.error().describe();
  EXPECT_THAT(page->body, HasSubstr("s_server"));
}

TEST(ClientTls, OwnCertificateIsShownAndItsAbsenceIsDenied) {
  TempDir dir;
  EchoServer server;
  const auto own = testing::make_identity(dir, "client", "infiniedge://gateway/7");
  auto identity = testing::make_identity(dir, "server");
  identity.files.client_ca = own.files.cert;
  const auto url = "https://localhost:" + server.port(identity.files);
  ClientOptions options{.ca = identity.files.cert};
  EXPECT_EQ(Caller(url, options).get("/").error().code(), Code::Denied);
  options.cert = own.files.cert;
  options.key = own.files.key;
  EXPECT_THAT(body(Caller(url, options).get("/who")), HasSubstr("infiniedge://gateway/7"));
}

TEST(ClientTls, AMalformedFingerprintIsInvalid) {
  boost::asio::io_context context;
  const auto url = Url::parse("https://h");
  const auto made = Client::make(context.get_executor(), *url, {.fingerprint = "12:34"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::Invalid);
}

}  // namespace
}  // namespace infiniedge::runtime::http
