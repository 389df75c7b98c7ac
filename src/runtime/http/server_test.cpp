// SPDX-License-Identifier: Apache-2.0
// The server against clients that we did not write: curl, Python, openssl, raw sockets.
#include "runtime/http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "runtime/http/testing/echo.hpp"

namespace infiniedge::runtime::http {
namespace {

using testing::EchoServer;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::raw;
using testing::shell;
using ::testing::StartsWith;
using testing::TempDir;

constexpr const char* kHost = "Host: x\r\n";

TEST(Server, CurlKeepsOneConnectionForSeveralRequests) {
  EchoServer server;
  const auto url = "http://127.0.0.1:" + server.port();
  const auto out = shell("curl -sv " + url + "/a " + url + "/b 2>&1");
  EXPECT_THAT(out, HasSubstr("Re-using existing connection"));
  EXPECT_THAT(out, EndsWith("/b"));
}

TEST(Server, PythonSendsChunkedAndSizedBodies) {
  EchoServer server;
  const auto out = shell(
      "python3 -c \"\nimport http.client\nc=http.client.HTTPConnection("
      "'127.0.0.1'," +
      server.port() +
      ")\nc.request('POST','/c',body=iter([b'ab',b'cd'*3000]),"
      "encode_chunked=True,headers={'Transfer-Encoding':'chunked'})\n"
      "r=c.getresponse().read()\nprint(len(r), r[:4])\n"
      "c.request('PUT','/p',body=b'z'*3000000)\n"
      "r=c.getresponse()\nb=r.read()\nprint(r.status,len(b),b[-1:])\n\"");
  EXPECT_EQ(out, "6002 b'abcd'\n200 3000000 b'z'\n");
}

TEST(Server, ExpectContinueIsAnsweredBeforeTheBody) {
  EchoServer server;
  const auto port = server.port();
  const auto out = shell(
      "head -c 2000000 /dev/zero | curl -sv -H 'Expect: 100-continue' "
      "--data-binary @- -o /dev/null -w '%{size_download}' http://127.0.0.1:" +
      port + "/ 2>&1");
  EXPECT_THAT(out, HasSubstr("< HTTP/1.1 100 Continue"));
  EXPECT_THAT(out, HasSubstr("2000000"));
}

TEST(Server, TooLargeABodyIs413AndTheClientCanReadIt) {
  EchoServer server({.max_body = 1000});
  const auto port = server.port();
  EXPECT_EQ(shell("head -c 500000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' "
                  "--data-binary @- http://127.0.0.1:" +
                  port + "/"),
            "413");
  const auto chunked = "POST / HTTP/1.1\r\n" + std::string(kHost) +
                       "Transfer-Encoding: chunked\r\n\r\n800\r\n" + std::string(2048, 'x') +
                       "\r\n0\r\n\r\n";
  EXPECT_THAT(raw(port, chunked), StartsWith("HTTP/1.1 413 "));
}

TEST(Server, TooLargeAHeaderIs431) {
  EchoServer server({.max_header = 2000});
  const auto out = raw(server.port(), "GET / HTTP/1.1\r\n" + std::string(kHost) +
                                          "X: " + std::string(3000, 'x') + "\r\n\r\n");
  EXPECT_THAT(out, StartsWith("HTTP/1.1 431 "));
}

TEST(Server, MalformedRequestsGetASentenceAndOthersGoOn) {
  EchoServer server;
  const auto port = server.port();
  EXPECT_THAT(raw(port, "NONSENSE\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(raw(port, "GET / HTTP/1.1\r\n\r\n"), HasSubstr("must have a Host"));
  EXPECT_THAT(raw(port, "GET / HTTP/3.0\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 505 "));
  const auto smuggled = "POST / HTTP/1.1\r\n" + std::string(kHost) +
                        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  EXPECT_THAT(raw(port, smuggled), StartsWith("HTTP/1.1 "));
  EXPECT_THAT(raw(port, smuggled), Not(StartsWith("HTTP/1.1 2")));
  EXPECT_THAT(raw(port, "POST / HTTP/1.1\r\n" + std::string(kHost) +
                            "Transfer-Encoding: gzip, chunked\r\n\r\n"),
              StartsWith("HTTP/1.1 501 "));
  EXPECT_EQ(server.handler().handled, 0);
  EXPECT_THAT(raw(port, "GET /fine HTTP/1.1\r\n" + std::string(kHost) + "\r\n"), EndsWith("/fine"));
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  EchoServer server;
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests += "GET /n" + std::to_string(i) + "/ HTTP/1.1\r\n" + kHost + "\r\n";
  }
  const auto out = raw(server.port(), requests);
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    const auto found = out.find("/n" + std::to_string(i) + "/", at);
    ASSERT_NE(found, std::string::npos) << i;
    at = found;
  }
}

TEST(Server, SlowLorisIsEndedAndHttp10IsServed) {
  EchoServer server({.header_timeout = Millis{100}});
  const auto port = server.port();
  EXPECT_THAT(raw(port, "GET / HTTP/1.1\r\nHost: ", false), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(raw(port, "", false), "");  // Idle: closed without a word.
  const auto old = raw(port, "GET /old HTTP/1.0\r\n\r\n", false);
  EXPECT_THAT(old, EndsWith("/old"));
  EXPECT_THAT(old, HasSubstr("Connection: close"));
}

TEST(Server, HeadHasTheLengthButNoBody) {
  EchoServer server;
  const auto out = shell("curl -sI http://127.0.0.1:" + server.port() + "/123");
  EXPECT_THAT(out, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(out, EndsWith("\r\n\r\n"));
}

TEST(Server, AHandlerThatThrowsIs500AndAValueCannotStartAHeader) {
  EchoServer server;
  const auto url = "http://127.0.0.1:" + server.port();
  EXPECT_EQ(shell("curl -s -o /dev/null -w '%{http_code}' " + url + "/throw"), "500");
  const auto out = shell("curl -si '" + url + "/inject?a%0d%0aEvil:%201'");
  EXPECT_THAT(out, HasSubstr("X-Echo: a  Evil: 1\r\n"));
}

TEST(Server, StreamsArriveAtOnceAndEndWhenTheClientLeaves) {
  EchoServer server;
  const auto out = shell("curl -sN --max-time 0.3 http://127.0.0.1:" + server.port() + "/sse");
  EXPECT_EQ(out, "data: hello\n\n");
  for (int i = 0; i < 500 && server.handler().streams_ended == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(server.handler().streams_ended, 1);
}

TEST(Server, ALargeStreamReachesASlowReaderWhole) {
  EchoServer server;
  const auto size =
      shell("curl -s --limit-rate 20M http://127.0.0.1:" + server.port() + "/pour | wc -c");
  EXPECT_EQ(std::stoi(size), 64 * 65536);
}

TEST(Server, OneConnectionTooManyIs503) {
  TempDir dir;
  EchoServer server({.max_connections = 1});
  const auto port = server.port();
  FILE* first = ::popen(("curl -sN --max-time 2 http://127.0.0.1:" + port + "/sse").c_str(), "r");
  std::array<char, 64> line;
  ASSERT_NE(std::fgets(line.data(), line.size(), first), nullptr);
  EXPECT_THAT(raw(port, ""), StartsWith("HTTP/1.1 503 "));
  ::pclose(first);
}

TEST(Server, ATakenPortNamesTheHolderAndTheWayOut) {
  EchoServer server;
  const auto port = server.port();
  const auto again = server.listen("127.0.0.1:" + port);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::Unavailable);
  EXPECT_THAT(again.error().message(), HasSubstr("port " + port));
  EXPECT_THAT(again.error().message(), HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_THAT(again.error().message(), HasSubstr("--http 127.0.0.1:0"));
  EXPECT_EQ(server.listen("nowhere").error().code(), Code::Invalid);
}

TEST(Server, UnixSocketIsPrivateTrustedAndTakesOverALeftOver) {
  TempDir dir;
  const auto path = dir / "node.sock";
  {
    EchoServer server;
    ASSERT_TRUE(server.listen("unix:" + path));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_EQ(shell("curl -s --unix-socket " + path + " http://x/who"), " trusted");
    EXPECT_EQ(server.listen("unix:" + path).error().code(), Code::Exists);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  shell("python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('" + path + "')\"");
  ASSERT_TRUE(std::filesystem::exists(path));
  EchoServer server;
  EXPECT_TRUE(server.listen("unix:" + path));
}

TEST(ServerTls, CurlTrustsTheCertificateAndOldProtocolsAreRefused) {
  TempDir dir;
  EchoServer server;
  const auto identity = testing::make_identity(dir, "server");
  const auto port = server.port(identity.files);
  EXPECT_EQ(shell("curl -s --cacert " + identity.files.cert + " https://localhost:" + port + "/t"),
            "/t");
  EXPECT_EQ(shell("curl -s --cacert " + identity.files.cert + " https://127.0.0.1:" + port + "/t"),
            "/t");
  EXPECT_THAT(shell("echo | openssl s_client -tls1_1 -connect 127.0.0.1:" + port + " 2>&1"),
              HasSubstr("Cipher is (NONE)"));
  EXPECT_THAT(shell("openssl x509 -noout -fingerprint -sha256 -in " + identity.files.cert +
                    " | tr -d : | tr A-F a-f"),
              HasSubstr(identity.fingerprint));
}

TEST(ServerTls, Tls13OnlyRefusesTls12) {
  TempDir dir;
  EchoServer server;
  auto identity = testing::make_identity(dir, "server");
  identity.files.tls13_only = true;
  const auto port = server.port(identity.files);
  const auto with = [&](const std::string& version) {
    return shell("echo | openssl s_client -" + version + " -connect 127.0.0.1:" + port + " 2>&1");
  };
  EXPECT_THAT(with("tls1_2"), HasSubstr("Cipher is (NONE)"));
  EXPECT_THAT(with("tls1_3"), HasSubstr("TLSv1.3"));
}

TEST(ServerTls, ClientCertificatesAreRequiredOrOptionalAsAsked) {
  TempDir dir;
  EchoServer server;
  const auto client = testing::make_identity(dir, "client", "infiniedge://gateway/0e2f");
  const auto other = testing::make_identity(dir, "other");
  auto identity = testing::make_identity(dir, "server");
  identity.files.client_ca = client.files.cert;
  const auto strict = server.port(identity.files);
  identity.files.client_optional = true;
  const auto optional = server.port(identity.files);
  const auto get = [&](const std::string& port, const std::string& flags) {
    return shell("curl -s --cacert " + identity.files.cert + " " + flags +
                 " https://localhost:" + port + "/who");
  };
  const auto own = "--cert " + client.files.cert + " --key " + client.files.key;
  const auto foreign = "--cert " + other.files.cert + " --key " + other.files.key;
  EXPECT_THAT(get(strict, own), HasSubstr("infiniedge://gateway/0e2f"));
  EXPECT_EQ(get(strict, ""), "");
  EXPECT_EQ(get(strict, foreign), "");
  EXPECT_EQ(get(optional, ""), "127.0.0.1");
  EXPECT_EQ(get(optional, foreign), "");
  EXPECT_THAT(get(optional, own), HasSubstr("infiniedge://gateway/0e2f"));
}

TEST(ServerTls, MissingOrBrokenFilesAreNamed) {
  TempDir dir;
  EchoServer server;
  auto identity = testing::make_identity(dir, "server");
  identity.files.key = dir / "none.key";
  const auto missing = server.listen("127.0.0.1:0", identity.files);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::NotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr("none.key"));
  std::ofstream(dir / "none.key") << "nonsense";
  EXPECT_EQ(server.listen("127.0.0.1:0", identity.files).error().code(), Code::Invalid);
}

}  // namespace
}  // namespace infiniedge::runtime::http
