// SPDX-License-Identifier: Apache-2.0
// Against Python's http.server (tests/peers/http_device.py).
#include "device/http/connector.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include "device/supervisor.hpp"
#include "device/testing/collector.hpp"
#include "device/testing/process.hpp"
#include "runtime/testing/run.hpp"

namespace infiniedge::device::http {
namespace {

using runtime::testing::run;
using testing::Collector;
using testing::make_device;
using testing::make_point;

class HttpConnector : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::run_program({"python3", "--version"}, "/dev/null") != 0) {
      GTEST_SKIP() << "python3 is absent: it plays the device";
    }
    registry_.add<Connector>();
    start_server();
  }
  void TearDown() override {
    if (supervisor_) run(context_, supervisor_->stop());
  }
  void start_server() {
    server_ = testing::Process(
        {"python3", std::string{INFINIEDGE_SOURCE_DIR} + "/tests/peers/http_device.py",
         std::to_string(port_)},
        "/dev/null");
    ASSERT_TRUE(testing::wait_for_port(port_));
  }
  DeviceSpec device(std::vector<Point> points, OptionValues options = {}) const {
    auto out = make_device("meter", "http://127.0.0.1:" + std::to_string(port_) + "/api/",
                           std::move(points), std::move(options));
    out.every = Millis{20};
    return out;
  }
  void start(DeviceSpec spec) {
    if (supervisor_) run(context_, supervisor_->stop());
    sink_.rows.clear();
    supervisor_ = std::make_unique<Supervisor>(
        "http", std::move(spec), registry_,
        Environment{context_.get_executor(), clock_, entropy_, workers_, metrics_}, sink_);
    supervisor_->start();
  }
  bool until(std::function<bool()> done) {
    return run(context_, sink_.until(std::move(done))).has_value();
  }
  bool rows(std::size_t n) { return run(context_, sink_.until_rows(n)).has_value(); }

  std::uint16_t port_ = testing::free_port();
  testing::Process server_;
  boost::asio::io_context context_;
  runtime::SystemClock clock_;
  runtime::SystemEntropy entropy_;
  runtime::Workers workers_{"test", 1};
  runtime::Metrics metrics_;
  Collector sink_{context_.get_executor()};
  Registry registry_;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(HttpConnector, PollsJsonAndTextIntoOneRow) {
  start(device({make_point("temp", "state", "float64", {{"json", "/temp"}, {"time", "/time"}}),
                make_point("speed", "/api/state", "int32", {{"json", "/speed"}}),
                make_point("plain", "/plain?x=1")}));
  ASSERT_TRUE(rows(2));
  EXPECT_EQ(sink_.rows[1].values, (std::vector<std::optional<std::string>>{"21.5", "10", "17.25"}));
  EXPECT_EQ(sink_.rows[1].ts, 1'767'323'045'000'000);
  EXPECT_EQ(sink_.rows[1].quality, Quality::Good);
}

TEST_F(HttpConnector, FailuresOfOnePathStayThere) {
  auto spec = device({make_point("good", "/plain"), make_point("broken", "/broken"),
                      make_point("slow", "/slow"),
                      make_point("garbage", "/garbage", "float64", {{"json", "/a"}}),
                      make_point("private", "/private")});
  spec.timeout = Millis{200};
  start(spec);
  ASSERT_TRUE(rows(1));
  EXPECT_EQ(sink_.rows[0].values[0], "17.25");
  EXPECT_EQ(sink_.rows[0].quality, Quality::Bad);
  const auto status = supervisor_->status();
  EXPECT_EQ(status.points[1].reason, kBadDeviceFailure);
  EXPECT_EQ(status.points[2].reason, kBadTimeout);
  EXPECT_EQ(status.points[3].reason, kBadDecodingError);
  EXPECT_EQ(status.points[4].reason, kBadUserAccessDenied);
  EXPECT_TRUE(status.ready);
}

TEST_F(HttpConnector, SendsBasicAndBearerCredentials) {
  auto spec = device({make_point("private", "/private")});
  spec.username = "edge";
  spec.password = "secret";
  start(spec);
  ASSERT_TRUE(rows(1));
  EXPECT_EQ(sink_.rows[0].values[0], "1");
  spec.username.clear();
  spec.password = "token";
  start(spec);
  ASSERT_TRUE(rows(1));
  EXPECT_EQ(sink_.rows[0].values[0], "1");
}

TEST_F(HttpConnector, WritesWithTheBodyOfThePoint) {
  auto speed = make_point("speed", "state", "int32",
                          {{"json", "/speed"},
                           {"set", "state/speed"},
                           {"method", "POST"},
                           {"body", "{\"value\": {value}}"}});
  speed.write = WriteRule{.min = 0, .max = 100};
  auto lost = make_point("lost", "nowhere", "int32");
  lost.write = WriteRule{};
  start(device({speed, lost}));
  ASSERT_TRUE(until([this] { return supervisor_->status().ready; }));
  std::vector<PointWrite> writes{{"speed", "55"}};
  ASSERT_TRUE(run(context_, supervisor_->write(writes)));
  std::vector<std::string> names{"speed"};
  const auto read = run(context_, supervisor_->read(names));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at(0).value, "55");
  writes = {{"lost", "1"}};
  const auto refused = run(context_, supervisor_->write(writes));
  EXPECT_EQ(refused.error().message(), "device meter answers 404 to PUT /api/nowhere");
}

TEST_F(HttpConnector, ComesBackAfterTheDeviceWasAway) {
  start(device({make_point("plain", "/plain")}));
  ASSERT_TRUE(rows(1));
  server_.kill(SIGKILL);
  server_.wait();
  ASSERT_TRUE(until([this] { return supervisor_->status().reason == "Unavailable"; }));
  start_server();
  const auto before = sink_.rows.size();
  ASSERT_TRUE(rows(before + 1));
  EXPECT_GE(supervisor_->status().restarts, 1U);
}

TEST_F(HttpConnector, FaultsOfTheResourceAreNamed) {
  const Environment environment{context_.get_executor(), clock_, entropy_, workers_, metrics_};
  const auto message = [&](DeviceSpec spec) {
    auto made = registry_.make("http", std::move(spec), environment);
    return made ? std::string{} : made.error().message();
  };
  EXPECT_NE(message(make_device("d", "ftp://x", {})), "");
  EXPECT_NE(message(make_device("d", "http://", {})), "");
  EXPECT_NE(message(device({make_point("p", "/a b")})), "");
  EXPECT_NE(message(device({make_point("p", "/a", "float64", {{"method", "GET"}})})), "");
  EXPECT_NE(message(device({make_point("p", "/a", "float64", {{"json", "x"}})})), "");
  EXPECT_EQ(message(device({make_point("p", ".")})), "");
}

}  // namespace
}  // namespace infiniedge::device::http
