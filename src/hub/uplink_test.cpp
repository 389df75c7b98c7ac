// SPDX-License-Identifier: Apache-2.0
// A node and a hub over real WebSockets and TLS on loopback.
#include "sync/uplink.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "hub/ingest.hpp"
#include "hub/testing/memory_inbox.hpp"
#include "hub/testing/world.hpp"
#include "runtime/clock.hpp"
#include "runtime/http/server.hpp"
#include "runtime/testing/run.hpp"
#include "sync/testing/memory_outbox.hpp"

namespace infiniedge::hub {
namespace {

namespace http = runtime::http;
using testing::gateway_of;
using testing::kUplink;

class Door final : public http::Handler {
 public:
  explicit Door(Ingest& ingest) : ingest_(ingest) {}
  Task<http::Response> handle(http::Request) override { co_return http::Response{.status = 404}; }
  Task<std::optional<http::Response>> accept_websocket(const http::Request& request) override {
    const bool allowed = request.path() == sync::kPath &&
                         request.headers.get("Authorization") == "Bearer ie1_secret";
    if (allowed) co_return std::nullopt;
    co_return http::Response{.status = 401};
  }
  std::string websocket_protocol(const http::Request&) override {
    return std::string{sync::kSubprotocol};
  }
  Task<void> serve(http::Request, std::shared_ptr<http::WebSocket> socket) override {
    co_await ingest_.serve(std::move(socket), "node");
  }

 private:
  Ingest& ingest_;
};

struct UplinkTest : ::testing::Test {
  UplinkTest() {
    dir = std::filesystem::temp_directory_path() / ("uplink_test." + std::to_string(getpid()));
    std::filesystem::create_directories(dir);
    files = {.cert = dir / "hub.pem", .key = dir / "hub.key"};
    fingerprint = *http::make_self_signed({"localhost", "127.0.0.1"}, files);
    server = http::Server::make(context.get_executor(), door, {});
    port = *server->listen("127.0.0.1:0", files);
  }
  ~UplinkTest() override { std::filesystem::remove_all(dir); }

  std::unique_ptr<sync::Uplink> dial(std::string pin, std::string token = "ie1_secret") {
    sync::UplinkOptions options{.name = kUplink,
                                .address = "https://127.0.0.1:" + std::to_string(port),
                                .token = std::move(token),
                                .fingerprint = std::move(pin),
                                .node = "press"};
    auto dialer = sync::make_dialer(context.get_executor(), options);
    return std::make_unique<sync::Uplink>(context.get_executor(), outbox.view(), std::move(*dialer),
                                          clock, entropy, metrics, std::move(options));
  }
  Task<void> run_until_drained(sync::Uplink& uplink) {
    uplink.start();
    for (int i = 0; i < 1000 && !outbox.drained(kUplink); ++i) {
      static_cast<void>(co_await clock.sleep_for(Millis{10}));
    }
    co_await finish(uplink);
  }
  Task<void> run_until_failed(sync::Uplink& uplink) {
    uplink.start();
    for (int i = 0; i < 1000 && uplink.state().link != sync::LinkState::Down; ++i) {
      static_cast<void>(co_await clock.sleep_for(Millis{10}));
    }
    seen = uplink.state();
    co_await finish(uplink);
  }
  Task<void> finish(sync::Uplink& uplink) {
    co_await uplink.stop();
    co_await ingest.close();
    co_await server->close(Seconds{5});
  }

  boost::asio::io_context context;
  runtime::SystemClock clock;
  runtime::SeededEntropy entropy{1};
  runtime::Metrics metrics;
  testing::MemoryInbox inbox{entropy};
  sync::testing::MemoryOutbox outbox{entropy, gateway_of(1)};
  Ingest ingest{context.get_executor(), inbox.view(), clock, metrics, Ingest::Options{}};
  Door door{ingest};
  std::filesystem::path dir;
  http::TlsFiles files;
  std::string fingerprint;
  std::unique_ptr<http::Server> server;
  std::uint16_t port = 0;
  sync::Uplink::State seen;
};

TEST_F(UplinkTest, DeliversOverTlsWithAPinnedCertificate) {
  const auto stream = outbox.declare("boiler", record::Lane::Normal, kUplink);
  const auto alarms = outbox.declare("alarms", record::Lane::Alarm, kUplink);
  outbox.append(stream, 3000);
  outbox.append(alarms, 10);
  auto uplink = dial(fingerprint);
  runtime::testing::run(context, run_until_drained(*uplink));
  EXPECT_EQ(inbox.rows("boiler", gateway_of(1)).size(), 3000U);
  EXPECT_EQ(inbox.rows("alarms", gateway_of(1)).size(), 10U);
}

TEST_F(UplinkTest, AnotherCertificateIsDeniedAndSaysWhatToDo) {
  const auto stream = outbox.declare("boiler", record::Lane::Normal, kUplink);
  outbox.append(stream, 3);
  auto uplink = dial(std::string(64, 'a'));
  runtime::testing::run(context, run_until_failed(*uplink));
  EXPECT_EQ(seen.link, sync::LinkState::Down);
  EXPECT_NE(seen.last_error.find("Denied"), std::string::npos) << seen.last_error;
  EXPECT_NE(seen.last_error.find("`fingerprint`"), std::string::npos) << seen.last_error;
  EXPECT_TRUE(inbox.rows("boiler", gateway_of(1)).empty());
}

TEST_F(UplinkTest, AWrongTokenIsDeniedAndNotShown) {
  auto uplink = dial(fingerprint, "ie1_wrong");
  runtime::testing::run(context, run_until_failed(*uplink));
  EXPECT_NE(seen.last_error.find("Denied"), std::string::npos) << seen.last_error;
  EXPECT_EQ(seen.last_error.find("ie1_wrong"), std::string::npos) << seen.last_error;
}

TEST(Dialer, PlainTextIsForLoopbackOnly) {
  boost::asio::io_context context;
  EXPECT_FALSE(sync::make_dialer(context.get_executor(), {.name = "h", .address = "http://hub:1"}));
  EXPECT_TRUE(
      sync::make_dialer(context.get_executor(), {.name = "h", .address = "http://127.0.0.1:1"}));
}

}  // namespace
}  // namespace infiniedge::hub
