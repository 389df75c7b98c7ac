// SPDX-License-Identifier: Apache-2.0
// Against pymodbus' simulator (tests/peers/modbus_device.py), which we did not write.
#include "device/modbus/connector.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "device/supervisor.hpp"
#include "device/testing/collector.hpp"
#include "device/testing/process.hpp"
#include "runtime/testing/run.hpp"

namespace infiniedge::device::modbus {
namespace {

using runtime::testing::run;
using testing::Collector;
using testing::make_device;
using testing::make_point;

std::string python() {
  const char* own = std::getenv("INFINIEDGE_PEERS_PYTHON");
  return own != nullptr ? own : std::string{INFINIEDGE_DEPS_DIR} + "/peers/bin/python";
}

class ModbusConnector : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access(python().c_str(), X_OK) != 0) {
      GTEST_SKIP() << python() << " is absent: run scripts/setup --test for pymodbus";
    }
    registry_.add<Connector>();
    start_server();
  }
  void TearDown() override {
    if (supervisor_) run(context_, supervisor_->stop());
  }
  void start_server() {
    server_ = testing::Process(
        {python(), std::string{INFINIEDGE_SOURCE_DIR} + "/tests/peers/modbus_device.py",
         std::to_string(port_)},
        log());
    ASSERT_TRUE(testing::wait_for_port(port_)) << "see " << log();
  }
  std::string log() const { return (dir_.path() / "requests").string(); }
  /// Lines of the server's log that begin so.
  int requests(const std::string& beginning) const {
    std::ifstream file(log());
    int count = 0;
    for (std::string line; std::getline(file, line);) count += line.starts_with(beginning) ? 1 : 0;
    return count;
  }
  DeviceSpec device(std::vector<Point> points, OptionValues options = {}) const {
    auto out = make_device("plc", "tcp://127.0.0.1:" + std::to_string(port_), std::move(points),
                           std::move(options));
    out.every = Millis{50};
    return out;
  }
  void start(DeviceSpec spec) {
    if (supervisor_) run(context_, supervisor_->stop());
    supervisor_ = std::make_unique<Supervisor>(
        "modbus", std::move(spec), registry_,
        Environment{context_.get_executor(), clock_, entropy_, workers_, metrics_}, sink_);
    supervisor_->start();
  }
  bool until(std::function<bool()> done) {
    return run(context_, sink_.until(std::move(done))).has_value();
  }
  bool rows(std::size_t n) { return run(context_, sink_.until_rows(n)).has_value(); }
  Result<void> write(std::string point, std::string value) {
    std::vector<PointWrite> writes{{std::move(point), std::move(value)}};
    return run(context_, supervisor_->write(std::move(writes)));
  }
  std::string read(std::string point) {
    std::vector<std::string> names{std::move(point)};
    const auto values = run(context_, supervisor_->read(std::move(names)));
    return values ? values->at(0).value : values.error().describe();
  }

  testing::TempDir dir_;
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

TEST_F(ModbusConnector, ReadsEveryTypeInEveryOrder) {
  const std::vector<std::pair<std::string, std::string>> expected{
      {"int16", "-12345"},
      {"uint16", "54321"},
      {"int32", "-123456789"},
      {"uint32", "3123456789"},
      {"int64", "-1234567890123456789"},
      {"uint64", "9234567890123456789"},
      {"float32", "21.625"},
      {"float64", "-2.718281828459045"}};
  std::vector<Point> points;
  int address = 100;
  for (const auto* order : {"ABCD", "CDAB", "BADC", "DCBA"}) {
    for (std::size_t row = 0; row < expected.size(); ++row) {
      points.push_back(make_point(expected[row].first + "_" + order,
                                  "hr:" + std::to_string(address + 4 * static_cast<int>(row)),
                                  expected[row].first, {{"order", order}}));
      // Above the signed range an integer column has no room: store it as a float.
      if (expected[row].first == "uint64") points.back().field.type = Type::Float;
    }
    address += 40;
  }
  start(device(points));
  ASSERT_TRUE(rows(2));
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& want = expected[i % expected.size()];
    const auto got = sink_.rows[1].values[i].value_or("null");
    EXPECT_EQ(want.first == "uint64" ? "9.234567890123457e+18" : want.second, got)
        << points[i].name;
  }
  EXPECT_EQ(sink_.rows[1].quality, Quality::Good);
}

TEST_F(ModbusConnector, ReadsEveryTableBitsScaleAndText) {
  auto scaled = make_point("scaled", "30001", "uint16");
  scaled.scale = 0.5;
  scaled.offset = -1;
  scaled.field.type = Type::Float;
  start(device({make_point("coil", "00001", "bool"), make_point("coil2", "co:1", "bool"),
                make_point("input", "10001", "bool"), make_point("input2", "di:1", "bool"), scaled,
                make_point("bit0", "ir:2.0", "bool"), make_point("bit1", "ir:2.1", "bool"),
                make_point("bit15", "30003.15", "bool"),
                make_point("name", "400311", "string", {{"length", "8"}})}));
  ASSERT_TRUE(rows(1));
  const std::vector<std::optional<std::string>> want{"1", "0", "0", "1",     "2.5",
                                                     "1", "0", "1", "pump-7"};
  EXPECT_EQ(sink_.rows[0].values, want);
}

TEST_F(ModbusConnector, ARefusedReadIsTakenApartOnce) {
  start(device({make_point("a", "hr:400", "uint16"), make_point("b", "hr:402", "uint16"),
                make_point("c", "hr:404", "uint16"), make_point("none", "hr:403", "uint16")}));
  ASSERT_TRUE(rows(3));
  for (const auto& row : sink_.rows) {
    EXPECT_EQ(row.values[0], "11");
    EXPECT_EQ(row.values[1], "13");
    EXPECT_EQ(row.values[2], "14");
    EXPECT_FALSE(row.values[3]);
    EXPECT_EQ(row.quality, Quality::Bad);
  }
  const auto status = supervisor_->status();
  EXPECT_EQ(status.points[3].reason, kBadConfigurationError);
  EXPECT_EQ(status.points[0].quality, Quality::Good);
  EXPECT_GE(requests("1 3 404 1"), 2);  // From the second round on, alone.
}

TEST_F(ModbusConnector, NeighboursShareARequestAndFailuresStayApart) {
  start(device({make_point("x", "hr:0", "uint16"), make_point("y", "hr:5", "uint16"),
                make_point("broken", "hr:300", "uint16")}));
  ASSERT_TRUE(rows(2));
  EXPECT_GE(requests("1 3 0 6"), 2);
  EXPECT_EQ(requests("1 3 5 1"), 0);
  EXPECT_EQ(sink_.rows[0].values[0], "0");
  EXPECT_FALSE(sink_.rows[0].values[2]);
  EXPECT_EQ(supervisor_->status().points[2].reason, kBadDeviceFailure);
}

TEST_F(ModbusConnector, WritesCoilsRegistersAndBits) {
  const auto writable = [](Point point) {
    point.write = WriteRule{};
    return point;
  };
  auto speed = writable(make_point("speed", "hr:2", "int16"));
  speed.scale = 0.1;
  speed.field.type = Type::Float;
  const std::vector points{writable(make_point("coil", "co:1", "bool")),
                           writable(make_point("coil2", "co:2", "bool")),
                           speed,
                           writable(make_point("level", "hr:4", "float32", {{"order", "CDAB"}})),
                           writable(make_point("flag", "hr:8.3", "bool")),
                           writable(make_point("word", "hr:8", "uint16")),
                           writable(make_point("text", "hr:10", "string", {{"length", "5"}}))};
  for (const auto* unit : {"1", "2"}) {  // Unit 2 has no function 22.
    start(device(points, {{"unit", unit}}));
    ASSERT_TRUE(until([this] { return supervisor_->status().ready; }));
    const std::string u = unit;
    EXPECT_TRUE(write("coil", "true"));
    EXPECT_EQ(read("coil"), "true");
    EXPECT_GT(requests(u + " 5 1 1"), 0);
    EXPECT_TRUE(write("speed", "-12.3"));
    EXPECT_EQ(read("speed"), "-12.3");
    EXPECT_GT(requests(u + " 6 2 1"), 0);
    EXPECT_TRUE(write("level", "7.25"));
    EXPECT_EQ(read("level"), "7.25");
    EXPECT_GT(requests(u + " 16 4 2"), 0);
    EXPECT_TRUE(write("word", "1"));
    EXPECT_TRUE(write("flag", "true"));
    EXPECT_EQ(read("word"), "9");
    EXPECT_TRUE(write("flag", "false"));
    EXPECT_EQ(read("word"), "1");
    EXPECT_GT(requests(u + " 22 8 1"), 0);
    EXPECT_TRUE(write("text", "abc"));
    EXPECT_EQ(read("text"), "\"abc\"");
    EXPECT_EQ(write("text", "abcdef").error().code(), Code::Invalid);
    EXPECT_EQ(write("speed", "5000").error().code(), Code::Invalid);
    std::vector<PointWrite> both{{"coil", "false"}, {"coil2", "true"}};
    EXPECT_TRUE(run(context_, supervisor_->write(both)));
    EXPECT_GT(requests(u + " 15 1 "), 0);
    EXPECT_EQ(read("coil"), "false");
    EXPECT_EQ(read("coil2"), "true");
  }
}

TEST_F(ModbusConnector, ComesBackAfterTheDeviceWasAway) {
  start(device({make_point("x", "ir:0", "uint16")}));
  ASSERT_TRUE(rows(1));
  server_.kill(SIGKILL);
  server_.wait();
  ASSERT_TRUE(until([this] { return supervisor_->status().reason == "Unavailable"; }));
  EXPECT_EQ(supervisor_->status().points[0].quality, Quality::Uncertain);
  start_server();
  const auto before = sink_.rows.size();
  ASSERT_TRUE(rows(before + 2));
  EXPECT_EQ(sink_.rows.back().values[0], "7");
  EXPECT_GE(supervisor_->status().restarts, 1U);
}

TEST_F(ModbusConnector, ASilentDeviceIsATimeoutAndLeavesItsNeighbourAlone) {
  boost::asio::ip::tcp::acceptor silent(
      context_, {boost::asio::ip::make_address("127.0.0.1"), 0});  // Accepted by the kernel only.
  auto mute =
      make_device("mute", "tcp://127.0.0.1:" + std::to_string(silent.local_endpoint().port()),
                  {make_point("x", "hr:0")});
  mute.timeout = Millis{100};
  Collector nothing(context_.get_executor());
  Supervisor dead("modbus", mute, registry_,
                  Environment{context_.get_executor(), clock_, entropy_, workers_, metrics_},
                  nothing);
  dead.start();
  start(device({make_point("x", "ir:0", "uint16")}));
  ASSERT_TRUE(until([&] { return dead.status().reason == "Timeout"; }));
  EXPECT_TRUE(nothing.rows.empty());
  EXPECT_TRUE(supervisor_->status().ready);
  EXPECT_TRUE(rows(2));
  run(context_, dead.stop());
}

TEST_F(ModbusConnector, FaultsOfTheResourceAreNamed) {
  const Environment environment{context_.get_executor(), clock_, entropy_, workers_, metrics_};
  const auto message = [&](DeviceSpec spec) {
    auto made = registry_.make("modbus", std::move(spec), environment);
    return made ? std::string{} : made.error().message();
  };
  auto input = make_point("p", "30001", "uint16");
  input.write = WriteRule{};
  EXPECT_EQ(message(device({input})),
            "point p of device plc: inputs cannot be written: only coils and holding registers "
            "can");
  EXPECT_NE(message(device({make_point("p", "99", "uint16")})), "");
  EXPECT_EQ(message(device({make_point("p", "hr:65535", "float32")})),
            "point p of device plc: the value would end beyond address 65535");
  EXPECT_NE(message(device({make_point("p", "co:1", "string")})), "");
  EXPECT_NE(message(device({}, {{"order", "ABDC"}})), "");
  EXPECT_NE(message(device({}, {{"unitId", "1"}})).find("did you mean \"unit\"?"),
            std::string::npos);
  auto on_arrival = device({make_point("p", "hr:1")});
  on_arrival.every = Micros{0};
  EXPECT_NE(message(on_arrival), "");
  EXPECT_EQ(message(device({make_point("p", "hr:1.3", "bool")})), "");
}

}  // namespace
}  // namespace infiniedge::device::modbus
