// SPDX-License-Identifier: Apache-2.0
#include "device/supervisor.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "device/row.hpp"
#include "device/testing/collector.hpp"
#include "runtime/testing/run.hpp"
#include "runtime/testing/sim_clock.hpp"

namespace infiniedge::device {
namespace {

using runtime::testing::run;
using testing::Collector;
using testing::make_device;
using testing::make_point;

/// A device whose link a test breaks by hand. Shared by its successive connectors.
struct Wire {
  std::deque<Result<void>> openings;  ///< Answers to open(); empty: it works.
  Outcome* failure = nullptr;         ///< Of the connector that is open now.
  Outlet* out = nullptr;
  int opened = 0, closed = 0;
  std::vector<PointWrite> writes;
  bool read_hangs = false;  ///< Until the connector is closed.
};
Wire* wire = nullptr;

class FakeConnector final : public Connector {
 public:
  static constexpr Spec kSpec{.name = "fake", .summary = "A device of this test."};
  static Result<std::unique_ptr<Connector>> make(DeviceSpec device, Environment environment) {
    if (device.address == "wrong") return Error{Code::Invalid, "the address is wrong"};
    return std::make_unique<FakeConnector>(environment);
  }
  explicit FakeConnector(const Environment& environment)
      : failure_(environment.executor), closed_(environment.executor) {}

  Task<Result<void>> open(Outlet& out) override {
    ++wire->opened;
    if (!wire->openings.empty()) {
      auto answer = wire->openings.front();
      wire->openings.pop_front();
      if (!answer) co_return answer;
    }
    wire->failure = &failure_;
    wire->out = &out;
    co_return Result<void>{};
  }
  Task<Result<void>> failed() override { co_return co_await failure_.wait(); }
  Task<Result<std::vector<PointValue>>> read(std::vector<std::string>) override {
    if (wire->read_hangs) (void)co_await closed_.wait();
    co_return Error{Code::Cancelled, "the device was closed"};
  }
  Task<void> close() override {
    ++wire->closed;
    closed_.set({});
    wire->out = nullptr;
    co_return;
  }
  Task<Result<void>> write(std::vector<PointWrite> writes) override {
    for (auto& one : writes) wire->writes.push_back(std::move(one));
    co_return Result<void>{};
  }

 private:
  Outcome failure_, closed_;
};

class SupervisorTest : public ::testing::Test {
 protected:
  SupervisorTest() {
    wire = &wire_;
    registry_.add<FakeConnector>();
  }
  std::unique_ptr<Supervisor> make(const std::string& address = "fake://a",
                                   const std::string& connector = "fake") {
    auto point = make_point("speed", "s");
    point.write = WriteRule{.min = 0, .max = 10};
    return std::make_unique<Supervisor>(
        connector, make_device("pump", address, {point, make_point("temp", "t")}), registry_,
        Environment{context_.get_executor(), clock_, entropy_, workers_, metrics_}, sink_);
  }
  void settle() {
    context_.restart();
    context_.poll();
  }
  /// Turns the clock to the next try and returns how long that was.
  double next_try() {
    const auto when = clock_.next();
    if (!when) return -1;
    const auto span = *when - clock_.now();
    clock_.advance(span);
    settle();
    return std::chrono::duration<double>(span).count();
  }
  void break_link() {
    wire_.failure->set(Error{Code::Unavailable, "cable pulled"});
    settle();
  }

  boost::asio::io_context context_;
  runtime::testing::SimClock clock_;
  runtime::SeededEntropy entropy_{7};
  runtime::Workers workers_{"test", 1};
  runtime::Metrics metrics_;
  Collector sink_{context_.get_executor()};
  Registry registry_;
  Wire wire_;
};

TEST_F(SupervisorTest, ReopensForEverWithDoublingDelays) {
  const auto supervisor = make();
  for (int i = 0; i < 9; ++i) wire_.openings.push_back(Error{Code::Unavailable, "no answer"});
  supervisor->start();
  settle();
  double expected = 0.5;
  for (int i = 0; i < 9; ++i) {
    EXPECT_FALSE(supervisor->status().ready);
    const double delay = next_try();
    EXPECT_GE(delay, expected * 0.8) << i;
    EXPECT_LE(delay, expected * 1.2) << i;
    expected = std::min(30.0, expected * 2);
  }
  const auto status = supervisor->status();
  EXPECT_TRUE(status.ready);
  EXPECT_EQ(status.restarts, 9U);
  EXPECT_EQ(wire_.opened, 10);
  EXPECT_EQ(wire_.closed, 9);
  run(context_, supervisor->stop());
  EXPECT_EQ(wire_.closed, 10);
}

TEST_F(SupervisorTest, AHealthyMinuteStartsTheBackOffAnew) {
  const auto supervisor = make();
  for (int i = 0; i < 4; ++i) wire_.openings.push_back(Error{Code::Timeout, "slow"});
  supervisor->start();
  settle();
  for (int i = 0; i < 4; ++i) next_try();
  clock_.advance(Seconds{30});
  break_link();
  EXPECT_GE(next_try(), 6.4);  // Half a minute was not enough: 8 s ± 20 %.
  clock_.advance(Seconds{61});
  break_link();
  EXPECT_LE(next_try(), 0.6);
  run(context_, supervisor->stop());
}

TEST_F(SupervisorTest, OtherErrorsStopTheFeedAndStayAsCondition) {
  const auto supervisor = make();
  wire_.openings.push_back(Error{Code::Denied, "wrong password"});
  supervisor->start();
  settle();
  EXPECT_EQ(supervisor->status().reason, "Denied");
  EXPECT_EQ(supervisor->status().message, "wrong password");
  EXPECT_FALSE(clock_.next());
  EXPECT_EQ(sink_.states.back().error().code(), Code::Denied);
  run(context_, supervisor->stop());
}

TEST_F(SupervisorTest, UnknownConnectorIsAConditionWithASuggestion) {
  const auto supervisor = make("fake://a", "fakee");
  supervisor->start();
  settle();
  EXPECT_EQ(supervisor->status().reason, "Invalid");
  EXPECT_EQ(supervisor->status().message,
            "device pump: there is no connector \"fakee\"; did you mean \"fake\"?");
  run(context_, supervisor->stop());
}

TEST_F(SupervisorTest, ABadDeviceLeavesItsNeighbourAlone) {
  const auto bad = make("wrong");
  const auto good = make();
  bad->start();
  good->start();
  settle();
  EXPECT_EQ(bad->status().reason, "Invalid");
  EXPECT_TRUE(good->status().ready);
  run(context_, bad->stop());
  EXPECT_TRUE(good->status().ready);
  run(context_, good->stop());
}

TEST_F(SupervisorTest, CountsRowsAndKeepsTheLatestValues) {
  const auto supervisor = make();
  supervisor->start();
  settle();
  Latest latest(2);
  RowBuilder rows(supervisor->device(), &latest);
  rows.add(from_us(1), {{Value{1.0}}, {Value{20.0}}});
  rows.add(from_us(2), {Cell::bad(kBadTimeout), {Value{21.0}}});
  run(context_, [](Outlet& out, Batch batch) -> Task<void> {
    EXPECT_TRUE(co_await out.push(std::move(batch)));
  }(*wire_.out, rows.take()));
  const auto status = supervisor->status();
  EXPECT_EQ(status.samples, 2U);
  EXPECT_EQ(status.bad, 1U);
  EXPECT_EQ(status.last, from_us(2));
  EXPECT_GT(status.rate, 0);
  EXPECT_NE(metrics_.text().find("infiniedge_device_bad_samples_total{device=\"pump\"} 1"),
            std::string::npos);
  run(context_, supervisor->stop());
}

TEST_F(SupervisorTest, WritesAreCheckedBeforeTheDeviceSeesThem) {
  const auto supervisor = make();
  const auto write = [&](std::string point, std::string value) {
    std::vector<PointWrite> writes{{std::move(point), std::move(value)}};
    return run(context_, supervisor->write(std::move(writes)));
  };
  EXPECT_EQ(write("speed", "5").error().code(), Code::Unavailable);
  supervisor->start();
  settle();
  EXPECT_TRUE(write("speed", "5"));
  EXPECT_EQ(write("speed", "11").error().code(), Code::Invalid);
  EXPECT_EQ(write("temp", "1").error().code(), Code::Denied);
  EXPECT_EQ(write("sped", "1").error().message(),
            "device pump has no point \"sped\"; did you mean \"speed\"?");
  ASSERT_EQ(wire_.writes.size(), 1U);
  EXPECT_EQ(wire_.writes[0].value, "5");
  run(context_, supervisor->stop());
}

TEST_F(SupervisorTest, RowsThatTheSinkRefusesAreNotTheDevicesFault) {
  const auto supervisor = make();
  supervisor->start();
  settle();
  sink_.refusal = Error{Code::Exhausted, "the disk is full"};
  RowBuilder rows(supervisor->device(), nullptr);
  rows.add(from_us(1), {{Value{1.0}}, {Value{20.0}}});
  const auto pushed = run(context_, wire_.out->push(rows.take()));
  EXPECT_EQ(pushed.error().code(), Code::Unavailable);
  EXPECT_EQ(pushed.error().cause()->code(), Code::Exhausted);
  run(context_, supervisor->stop());
}

TEST_F(SupervisorTest, StopWaitsForACallUnderWay) {
  const auto supervisor = make();
  supervisor->start();
  settle();
  wire_.read_hangs = true;
  runtime::Scope scope(context_.get_executor());
  bool ended = false;
  scope.spawn([](Supervisor& device, bool& done) -> Task<void> {
    std::vector<std::string> points{"temp"};
    const auto read = co_await device.read(std::move(points));
    EXPECT_EQ(read.error().code(), Code::Cancelled);
    done = true;
  }(*supervisor, ended));
  settle();
  EXPECT_FALSE(ended);
  run(context_, supervisor->stop());
  EXPECT_TRUE(ended);
  run(context_, scope.close());
}

TEST_F(SupervisorTest, StopEndsABackOffAtOnce) {
  const auto supervisor = make();
  wire_.openings.push_back(Error{Code::Unavailable, "no answer"});
  supervisor->start();
  settle();
  run(context_, supervisor->stop());
  EXPECT_EQ(supervisor->status().reason, "Stopped");
  EXPECT_EQ(clock_.sleepers(), 0U);
}

}  // namespace
}  // namespace infiniedge::device
