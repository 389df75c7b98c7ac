// SPDX-License-Identifier: Apache-2.0
// Through a real mosquitto: what the plugs publish is read back by the MQTT connector.
#include "device/replay/publisher.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "base/bytes.hpp"
#include "device/mqtt/connector.hpp"
#include "device/supervisor.hpp"
#include "device/testing/broker.hpp"
#include "device/testing/collector.hpp"
#include "runtime/testing/run.hpp"

namespace infiniedge::device::replay {
namespace {

using runtime::testing::run;
using testing::Broker;
using testing::Collector;
using testing::make_device;
using testing::make_point;

constexpr const char* kSmall =
    "@univariate true\n@classLabel true 0 5\n@data\n"
    "1,-1,1,-1:0\n2,-2,2:0\n5:5\n4,4:0\n3,3:5\n6,6:0\n";

TEST(PlugPlan, EveryRecordingIsPlayedOnceAndAHeaterIsHeld) {
  testing::TempDir dir;
  const auto recordings = read_recordings(dir.write("r.ts", kSmall), {});
  ASSERT_TRUE(recordings) << recordings.error().message();
  EXPECT_DOUBLE_EQ((*recordings)[1].watts, 460);
  const auto plan = plan_plugs(*recordings, {.plugs = 3, .between = Seconds{1}});
  ASSERT_EQ(plan.size(), 6U);
  std::set<std::size_t> played;
  for (const auto& event : plan) {
    played.insert(event.which);
    const bool held = event.plug == 3;
    EXPECT_EQ(held, event.which == 4) << "the longest heater goes to the last plug";
    EXPECT_EQ(event.until - event.at, held ? Micros{Seconds{15}} : Micros{Millis{1200}});
  }
  EXPECT_EQ(played.size(), 6U);
  EXPECT_TRUE(std::ranges::is_sorted(plan, {}, &SwitchOn::at));
  EXPECT_EQ(plan, plan_plugs(*recordings, {.plugs = 3, .between = Seconds{1}}));
  EXPECT_EQ(plan_plugs(*recordings, {.plugs = 3, .between = Seconds{1}, .limit = 2}).size(), 2U);
}

TEST(PlugPlan, PlaidsHeatersStayOnLongAndDrawWhatHeatersDraw) {
  const auto file = std::string{INFINIEDGE_DEPS_DIR} + "/plaid/PLAID_TEST.ts";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is absent: run scripts/setup";
  const auto recordings = read_recordings(file, plaid_power());
  ASSERT_TRUE(recordings);
  const auto plan = plan_plugs(*recordings, {});
  EXPECT_EQ(plan.size(), 537U);
  std::vector<std::size_t> held;
  for (const auto& event : plan) {
    if (event.plug == 32) held.push_back(event.which);
  }
  EXPECT_EQ(held, (std::vector<std::size_t>{289, 278, 288}));  // 670, 577 and 540 samples.
  for (const auto i : held) {
    EXPECT_EQ((*recordings)[i].label, "5");
    EXPECT_NEAR((*recordings)[i].watts, 1400, 71);
  }
}

class Fleet : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Broker::available()) GTEST_SKIP() << "mosquitto is not installed: apt install mosquitto";
    registry_.add<mqtt::Connector>();
  }
  void TearDown() override {
    if (node_) run(context_, node_->stop());
  }
  Environment environment() {
    return {context_.get_executor(), clock_, entropy_, workers_, metrics_};
  }
  void listen(const Broker& broker, const std::string& user = {}, const std::string& word = {}) {
    auto device = make_device(
        "plugs", broker.address(),
        {make_point("power", "plugs/+/power", "float64", {{"json", "/power"}, {"time", "/time"}}),
         make_point("recording", "plugs/+/switch-on", "uint32",
                    {{"binary.offset", "8"}, {"time.offset", "0"}}),
         make_point("wave", "plugs/+/switch-on", "bytes", {{"binary.offset", "12"}})},
        {{"clean_start", "false"}, {"client_id", "node"}});
    device.username = user;
    device.password = word;
    node_ = std::make_unique<Supervisor>("mqtt", device, registry_, environment(), sink_);
    node_->start();
    ASSERT_TRUE(until([this] { return node_->status().ready; }));
  }
  bool until(std::function<bool()> done) {
    return run(context_, sink_.until(std::move(done))).has_value();
  }
  std::map<std::string, int> switch_ons() const {
    std::map<std::string, int> seen;
    for (const auto& row : sink_.rows) {
      if (row.values[1]) ++seen[*row.values[1]];
    }
    return seen;
  }

  testing::TempDir dir_;
  boost::asio::io_context context_;
  runtime::SystemClock clock_;
  runtime::SystemEntropy entropy_;
  runtime::Workers workers_{"test", 1};
  runtime::Metrics metrics_;
  Collector sink_{context_.get_executor()};
  Registry registry_;
  std::unique_ptr<Supervisor> node_;
};

TEST_F(Fleet, PublishesPowerAndWaveformsInOrder) {
  const Broker broker({.password = true});
  listen(broker, "edge", "secret");
  PlugFleet fleet(environment(), {.address = broker.address(),
                                  .username = "edge",
                                  .password = "secret",
                                  .recordings = dir_.write("r.ts", kSmall),
                                  .rated = {{"5", 1000}},
                                  .plan = {.plugs = 3, .between = Seconds{1}},
                                  .speed = 1000});
  const auto played = run(context_, fleet.run());
  ASSERT_TRUE(played) << played.error().message();
  EXPECT_EQ(fleet.progress().published, 6U);
  EXPECT_TRUE(fleet.progress().done);
  EXPECT_EQ(fleet.labels(), (std::vector<std::string>{"0", "0", "5", "0", "5", "0"}));
  ASSERT_TRUE(until([&] { return sink_.rows.size() >= fleet.progress().messages; }));
  EXPECT_EQ(switch_ons().size(), 6U);
  EXPECT_TRUE(std::ranges::is_sorted(sink_.rows, {}, &testing::SeenRow::ts));
  // The held heater draws 997 W (recording 4: 95 % + 4.7 % of 1000 W) for 15 s, a report a second.
  EXPECT_EQ(std::ranges::count(sink_.rows, "997",
                               [](const auto& row) { return row.values[0].value_or(""); }),
            15);
  for (const auto& row : sink_.rows) {
    if (row.values[1] != "1") continue;
    EXPECT_EQ(row.values[2]->size(), 3 * sizeof(float));
    EXPECT_EQ(base::get<float>(base::as_bytes(*row.values[2]), 4), -2.0F);
  }
}

TEST_F(Fleet, EveryMessageIsAcknowledgedThoughTheBrokerIsKilled) {
  const auto file = std::string{INFINIEDGE_DEPS_DIR} + "/plaid/PLAID_TEST.ts";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is absent: run scripts/setup";
  Broker broker;
  listen(broker);
  PlugFleet fleet(environment(), {.address = broker.address(),
                                  .recordings = file,
                                  .plan = {.plugs = 8, .between = Millis{100}, .limit = 300},
                                  .speed = 30});
  runtime::Scope scope(context_.get_executor());
  Result<void> played = Error{Code::Internal, "not run"};
  scope.spawn([](PlugFleet& plugs, Result<void>& out) -> Task<void> { out = co_await plugs.run(); }(
                                                          fleet, played));
  ASSERT_TRUE(until([&] { return fleet.progress().published >= 100; }));
  // The broker keeps nothing on disk: wait until the node has what was acknowledged.
  ASSERT_TRUE(until([&] { return switch_ons().size() >= 100; }));
  const auto before = fleet.progress().published;
  broker.kill();
  ASSERT_TRUE(until([&] { return !node_->status().ready; }));
  broker.start();
  ASSERT_TRUE(until([&] { return fleet.progress().done; })) << fleet.progress().published;
  EXPECT_TRUE(played);
  EXPECT_GE(fleet.progress().published, before);
  EXPECT_EQ(fleet.progress().published, 300U);
  run(context_, scope.close());
}

TEST_F(Fleet, StopEndsARun) {
  const Broker broker;
  PlugFleet fleet(environment(), {.address = broker.address(),
                                  .recordings = dir_.write("r.ts", kSmall),
                                  .plan = {.plugs = 3, .between = Seconds{100}}});
  runtime::Scope scope(context_.get_executor());
  Result<void> played = Error{Code::Internal, "not run"};
  scope.spawn([](PlugFleet& plugs, Result<void>& out) -> Task<void> { out = co_await plugs.run(); }(
                                                          fleet, played));
  ASSERT_TRUE(until([&] { return fleet.progress().messages > 0; }));
  run(context_, fleet.stop());
  EXPECT_TRUE(played);
  EXPECT_FALSE(fleet.progress().done);
  run(context_, scope.close());
}

TEST_F(Fleet, MissingRecordingsAreNamed) {
  PlugFleet fleet(environment(), {.address = "mqtt://127.0.0.1:1", .recordings = "/none/p.ts"});
  const auto played = run(context_, fleet.run());
  EXPECT_EQ(played.error().code(), Code::NotFound);
  EXPECT_NE(played.error().message().find("/none/p.ts"), std::string::npos);
}

}  // namespace
}  // namespace infiniedge::device::replay
