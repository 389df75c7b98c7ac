// SPDX-License-Identifier: Apache-2.0
// Against a real mosquitto, with mosquitto_pub as the publisher that we did not write.
#include "device/mqtt/connector.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "device/supervisor.hpp"
#include "device/testing/broker.hpp"
#include "device/testing/collector.hpp"
#include "runtime/testing/run.hpp"

namespace infiniedge::device::mqtt {
namespace {

using runtime::testing::run;
using testing::Broker;
using testing::Collector;
using testing::make_device;
using testing::make_point;

class MqttConnector : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Broker::available()) GTEST_SKIP() << "mosquitto is not installed: apt install mosquitto";
    registry_.add<Connector>();
  }
  void TearDown() override {
    if (supervisor_) run(context_, supervisor_->stop());
  }
  void start(DeviceSpec device) {
    supervisor_ = std::make_unique<Supervisor>(
        "mqtt", std::move(device), registry_,
        Environment{context_.get_executor(), clock_, entropy_, workers_, metrics_}, sink_);
    supervisor_->start();
  }
  bool until(std::function<bool()> done) {
    return run(context_, sink_.until(std::move(done))).has_value();
  }
  bool connected() {
    return until([this] { return supervisor_->status().ready; });
  }
  bool rows(std::size_t n) { return run(context_, sink_.until_rows(n)).has_value(); }

  boost::asio::io_context context_;
  runtime::SystemClock clock_;
  runtime::SystemEntropy entropy_;
  runtime::Workers workers_{"test", 1};
  runtime::Metrics metrics_;
  Collector sink_{context_.get_executor()};
  Registry registry_;
  std::unique_ptr<Supervisor> supervisor_;
};

DeviceSpec thermometer(const Broker& broker, OptionValues options = {}) {
  return make_device("thermometer", broker.address(),
                     {make_point("temp", "hall/temp", "float64", {{"json", "/temp"}}),
                      make_point("hum", "hall/temp", "float64", {{"json", "/hum"}}),
                      make_point("plain", "hall/+/plain", "int32")},
                     std::move(options));
}

TEST_F(MqttConnector, PointsOfOneMessageFormOneRow) {
  const Broker broker;
  start(thermometer(broker));
  ASSERT_TRUE(connected());
  ASSERT_TRUE(broker.publish("hall/temp", R"({"temp": 21.5, "hum": 40})"));
  ASSERT_TRUE(broker.publish("hall/x/plain", " 17 "));
  ASSERT_TRUE(rows(2));
  EXPECT_EQ(sink_.rows[0].values[0], "21.5");
  EXPECT_EQ(sink_.rows[0].values[1], "40");
  EXPECT_FALSE(sink_.rows[0].values[2]);
  EXPECT_EQ(sink_.rows[1].values[2], "17");
  EXPECT_EQ(sink_.rows[1].quality, Quality::Good);
  EXPECT_EQ(supervisor_->status().points[0].value, "21.5");
}

TEST_F(MqttConnector, SpeaksVersion5) {
  const Broker broker;
  start(thermometer(broker, {{"version", "5"}}));
  ASSERT_TRUE(connected());
  ASSERT_TRUE(broker.publish("hall/temp", R"({"temp": 1, "hum": 2})", {"-V", "mqttv5"}));
  ASSERT_TRUE(rows(1));
  EXPECT_EQ(sink_.rows[0].values[1], "2");
}

TEST_F(MqttConnector, UnreadablePayloadIsBadAndTheRestGoesOn) {
  const Broker broker;
  start(thermometer(broker));
  ASSERT_TRUE(connected());
  ASSERT_TRUE(broker.publish("hall/temp", R"({"temp": 21.5, "hum": )"));
  ASSERT_TRUE(broker.publish("hall/temp", R"({"temp": 22.5})"));
  ASSERT_TRUE(broker.publish("hall/temp", R"({"temp": 23.5, "hum": 41})"));
  ASSERT_TRUE(rows(3));
  EXPECT_FALSE(sink_.rows[0].values[0]);
  EXPECT_EQ(sink_.rows[0].quality, Quality::Bad);
  EXPECT_EQ(sink_.rows[1].values[0], "22.5");
  EXPECT_FALSE(sink_.rows[1].values[1]);
  EXPECT_EQ(sink_.rows[1].quality, Quality::Bad);
  EXPECT_EQ(sink_.rows[2].quality, Quality::Good);
  EXPECT_EQ(supervisor_->status().bad, 2U);
}

TEST_F(MqttConnector, BinaryPayloadCarriesTimeNumberAndWaveform) {
  const Broker broker;
  start(make_device("plug", broker.address(),
                    {make_point("rec", "plugs/1/on", "uint32", {{"binary.offset", "8"}}),
                     make_point("wave", "plugs/1/on", "bytes", {{"binary.offset", "12"}})},
                    {{"time.offset", "0"}}));
  ASSERT_TRUE(connected());
  std::string payload;
  base::put(payload, std::int64_t{1'700'000'000'123'456});
  base::put(payload, std::uint32_t{42});
  base::put(payload, 0.25F);
  base::put(payload, -1.5F);
  ASSERT_TRUE(broker.publish_file("plugs/1/on", broker.dir().write("payload", payload)));
  ASSERT_TRUE(rows(1));
  EXPECT_EQ(sink_.rows[0].ts, 1'700'000'000'123'456);
  EXPECT_EQ(sink_.rows[0].values[0], "42");
  EXPECT_EQ(sink_.rows[0].values[1], payload.substr(12));
}

TEST_F(MqttConnector, SourceTimeComesFromThePayloadOrIsUncertain) {
  const Broker broker;
  start(make_device("meter", broker.address(),
                    {make_point("p", "m", "float64", {{"json", "/p"}, {"time", "/t"}})}));
  ASSERT_TRUE(connected());
  ASSERT_TRUE(broker.publish("m", R"({"t": "2026-01-02T03:04:05Z", "p": 1})"));
  ASSERT_TRUE(broker.publish("m", R"({"t": "yesterday", "p": 2})"));
  ASSERT_TRUE(rows(2));
  EXPECT_EQ(sink_.rows[0].ts, 1'767'323'045'000'000);
  EXPECT_EQ(sink_.rows[1].quality, Quality::Uncertain);
  EXPECT_EQ(sink_.rows[1].values[0], "2");
}

TEST_F(MqttConnector, ConnectsOverTlsAndChecksTheCertificate) {
  const Broker broker({.tls = true});
  auto device = thermometer(broker);
  device.ca = broker.ca();
  start(device);
  ASSERT_TRUE(connected()) << supervisor_->status().message;
  ASSERT_TRUE(broker.publish("hall/temp", R"({"temp": 5, "hum": 6})"));
  ASSERT_TRUE(rows(1));

  const Broker other({.tls = true});
  device.address = other.address();  // Signed by another authority.
  run(context_, supervisor_->stop());
  start(device);
  ASSERT_TRUE(until([this] { return supervisor_->status().reason == "Denied"; }))
      << supervisor_->status().reason << ": " << supervisor_->status().message;
}

TEST_F(MqttConnector, WrongPasswordIsDeniedAndNotRetried) {
  const Broker broker({.password = true});
  auto device = thermometer(broker);
  device.username = "edge";
  device.password = "wrong";
  start(device);
  ASSERT_TRUE(until([this] { return supervisor_->status().reason == "Denied"; }))
      << supervisor_->status().message;
  EXPECT_EQ(supervisor_->status().restarts, 0U);
  EXPECT_EQ(supervisor_->status().message.find("wrong\""), std::string::npos);

  device.password = "secret";
  device.options["version"] = "5";
  run(context_, supervisor_->stop());
  start(device);
  ASSERT_TRUE(connected()) << supervisor_->status().message;
  run(context_, supervisor_->stop());
  device.password = "wrong";
  start(device);
  ASSERT_TRUE(until([this] { return supervisor_->status().reason == "Denied"; }))
      << supervisor_->status().message;
}

TEST_F(MqttConnector, ResubscribesAfterTheBrokerWasKilled) {
  Broker broker;
  start(thermometer(broker));
  ASSERT_TRUE(connected());
  ASSERT_TRUE(broker.publish("hall/temp", R"({"temp": 1, "hum": 1})"));
  ASSERT_TRUE(rows(1));
  broker.kill();
  ASSERT_TRUE(until([this] { return !supervisor_->status().ready; }));
  EXPECT_EQ(supervisor_->status().reason, "Unavailable");
  EXPECT_EQ(supervisor_->status().points[0].quality, Quality::Uncertain);
  broker.start();
  ASSERT_TRUE(connected());
  ASSERT_TRUE(broker.publish("hall/temp", R"({"temp": 2, "hum": 2})"));
  ASSERT_TRUE(rows(2));
  EXPECT_EQ(sink_.rows[1].values[0], "2");
  EXPECT_GE(supervisor_->status().restarts, 1U);
}

TEST_F(MqttConnector, KeptSessionDeliversWhatCameMeanwhile) {
  const Broker broker;
  for (const auto* version : {"3.1.1", "5"}) {
    const auto before = sink_.rows.size();
    const auto device = thermometer(broker, {{"clean_start", "false"},
                                             {"client_id", std::string{"kept-"} + version},
                                             {"version", version}});
    start(device);
    ASSERT_TRUE(connected()) << supervisor_->status().message;
    run(context_, supervisor_->stop());
    ASSERT_TRUE(broker.publish("hall/temp", R"({"temp": 7, "hum": 7})"));
    start(device);
    ASSERT_TRUE(rows(before + 1)) << version;
    run(context_, supervisor_->stop());
  }
}

TEST_F(MqttConnector, AFullBufferStopsReadingAndNothingIsLost) {
  const Broker broker;
  start(make_device("fast", broker.address(), {make_point("n", "n", "int64")}));
  ASSERT_TRUE(connected());
  sink_.hold(true);
  constexpr std::size_t kMessages = 6000;
  std::string lines;
  for (std::size_t i = 0; i < kMessages; ++i) lines += std::to_string(i) + "\n";
  const auto file = broker.dir().write("lines", lines);
  const auto script =
      "mosquitto_pub -h 127.0.0.1 -p " + std::to_string(broker.port()) + " -q 0 -l -t n < " + file;
  testing::Process publisher({"sh", "-c", script}, broker.dir().path() / "log");
  // One batch waits in push(), the inbox fills behind it; then the socket is left alone.
  ASSERT_TRUE(until([this] {
    return metrics_.text().find("infiniedge_device_paused_total{device=\"fast\"} 1") !=
           std::string::npos;
  }));
  EXPECT_EQ(sink_.rows.size(), 0U);
  sink_.hold(false);
  ASSERT_TRUE(rows(kMessages));
  for (std::size_t i = 0; i < kMessages; ++i) {
    ASSERT_EQ(sink_.rows[i].values[0], std::to_string(i));
  }
  EXPECT_LT(sink_.batches, kMessages / 2);
}

TEST_F(MqttConnector, WritesArePublishedToTheSetTopic) {
  const Broker broker;
  auto point = make_point("speed", "pump/speed", "float64", {{"set", "pump/speed/set"}});
  point.scale = 0.5;
  point.write = WriteRule{.min = 0, .max = 100};
  auto echo = make_point("echo", "pump/speed/set");
  auto mute = make_point("mute", "pump/mute");
  mute.write = WriteRule{};
  start(make_device("pump", broker.address(), {point, echo, mute}));
  ASSERT_TRUE(connected());
  std::vector<PointWrite> writes{{"speed", "12"}};
  ASSERT_TRUE(run(context_, supervisor_->write(writes)));
  ASSERT_TRUE(rows(1));
  EXPECT_EQ(sink_.rows[0].values[1], "24");
  writes = {{"mute", "1"}};
  EXPECT_EQ(run(context_, supervisor_->write(writes)).error().code(), Code::Unsupported);
}

TEST_F(MqttConnector, NobodyListensIsUnavailable) {
  start(make_device("d", "mqtt://127.0.0.1:" + std::to_string(testing::free_port()),
                    {make_point("p", "x")}));
  ASSERT_TRUE(until([this] { return supervisor_->status().reason == "Unavailable"; }));
  EXPECT_NE(supervisor_->status().message.find("next try in"), std::string::npos);
}

TEST_F(MqttConnector, FaultsOfTheResourceAreNamed) {
  const Environment environment{context_.get_executor(), clock_, entropy_, workers_, metrics_};
  const auto message = [&](DeviceSpec device) {
    auto made = registry_.make("mqtt", std::move(device), environment);
    return made ? std::string{} : made.error().message();
  };
  EXPECT_EQ(message(make_device("d", "http://x", {})),
            "device d: address \"http://x\" must begin with mqtt:// or mqtts://");
  EXPECT_EQ(message(make_device("d", "mqtt://x", {}, {{"qos", "7"}})),
            "device d: option \"qos\" is 7: it must be between 0 and 2");
  EXPECT_NE(message(make_device("d", "mqtt://x", {make_point("p", "a/#/b")})), "");
  EXPECT_NE(
      message(make_device("d", "mqtt://x", {make_point("p", "a", "float64", {{"set", "a/+"}})})),
      "");
  EXPECT_NE(message(make_device("d", "mqtt://x", {}, {{"clean_start", "false"}})), "");
  EXPECT_EQ(message(make_device("d", "mqtt://x", {make_point("p", "a")})), "");
}

}  // namespace
}  // namespace infiniedge::device::mqtt
