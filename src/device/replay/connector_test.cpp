// SPDX-License-Identifier: Apache-2.0
// Plays real recordings where they are present: NAB and TEP (../shared/data), PLAID (.deps).
#include "device/replay/connector.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "base/bytes.hpp"
#include "device/supervisor.hpp"
#include "device/testing/collector.hpp"
#include "device/testing/process.hpp"
#include "runtime/testing/run.hpp"
#include "runtime/testing/sim_clock.hpp"

namespace infiniedge::device::replay {
namespace {

using runtime::testing::run;
using testing::Collector;
using testing::make_device;
using testing::make_point;
using testing::TempDir;

std::string shared_data(const std::string& file) {
  return std::string{INFINIEDGE_SOURCE_DIR} + "/../shared/data/" + file;
}

class Replay : public ::testing::Test {
 protected:
  Replay() { registry_.add<Connector>(); }
  void TearDown() override { stop(); }
  void stop() {
    if (supervisor_) run(context_, supervisor_->stop());
    supervisor_.reset();
  }
  void start(DeviceSpec device, Clock* clock = nullptr) {
    supervisor_ = std::make_unique<Supervisor>(
        "replay", std::move(device), registry_,
        Environment{context_.get_executor(), clock != nullptr ? *clock : clock_, entropy_, workers_,
                    metrics_},
        sink_);
    supervisor_->start();
  }
  bool until(std::function<bool()> done) {
    return run(context_, sink_.until(std::move(done))).has_value();
  }
  bool rows(std::size_t n) { return run(context_, sink_.until_rows(n)).has_value(); }
  /// The condition that a resource with this recording ends in.
  std::string failure(DeviceSpec device) {
    stop();
    start(std::move(device));
    EXPECT_TRUE(until([this] {
      return !supervisor_->status().ready && supervisor_->status().reason != "Connecting";
    }));
    return supervisor_->status().reason + ": " + supervisor_->status().message;
  }

  TempDir dir_;
  boost::asio::io_context context_;
  runtime::SystemClock clock_;
  runtime::SystemEntropy entropy_;
  runtime::Workers workers_{"test", 1};
  runtime::Metrics metrics_;
  Collector sink_{context_.get_executor()};
  Registry registry_;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(Replay, NabMachineTemperatureIsWhole) {
  const auto file = shared_data("nab/data/realKnownCause/machine_temperature_system_failure.csv");
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is absent";
  start(make_device("machine", "file:" + file, {make_point("temp", "value")}, {{"speed", "max"}}));
  ASSERT_TRUE(rows(22'695));
  EXPECT_EQ(sink_.rows[0].ts, 1'386'018'900'000'000);  // 2013-12-02 21:15:00
  EXPECT_EQ(sink_.rows[0].values[0], "73.96732207");
  EXPECT_EQ(sink_.rows.back().ts, 1'392'823'500'000'000);  // 2014-02-19 15:25:00
  EXPECT_EQ(sink_.rows.back().values[0], "96.90386085");
  double sum = 0;
  for (const auto& row : sink_.rows) sum += std::stod(*row.values[0]);
  EXPECT_NEAR(sum, 1950101.876891, 1e-3);
}

TEST_F(Replay, TepRunsAreReadInBothOrientations) {
  const auto fault = shared_data("tep/d01.dat"), normal = shared_data("tep/d00.dat");
  if (!std::filesystem::exists(fault)) GTEST_SKIP() << fault << " is absent";
  const std::vector points{make_point("first", "1"), make_point("last", "52")};
  start(make_device("tep", fault, points,
                    {{"speed", "max"}, {"period", "3m"}, {"start", "2026-01-01T00:00:00Z"}}));
  ASSERT_TRUE(rows(480));
  EXPECT_EQ(sink_.rows[0].values[0], "0.23766");
  EXPECT_EQ(sink_.rows[0].values[1], "15.562");
  EXPECT_EQ(sink_.rows[479].ts - sink_.rows[0].ts, 479 * 180'000'000LL);
  EXPECT_EQ(sink_.rows[0].ts, 1'767'225'600'000'000);
  stop();
  EXPECT_EQ(sink_.rows.size(), 480U);
  sink_.rows.clear();
  start(make_device("tep", normal, points, {{"speed", "max"}, {"transposed", "true"}}));
  ASSERT_TRUE(rows(500));
  EXPECT_EQ(sink_.rows[0].values[0], "0.24987");
  EXPECT_EQ(sink_.rows[499].values[1], "19.999");
}

TEST_F(Replay, PlaidCasesAreWaveformsWithLabels) {
  const auto file = std::string{INFINIEDGE_DEPS_DIR} + "/plaid/PLAID_TEST.ts";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is absent: run scripts/setup";
  start(make_device("plug", "file:" + file,
                    {make_point("wave", "series", "bytes"), make_point("label", "label", "string"),
                     make_point("index", "index", "uint32"), make_point("n", "length", "uint32")},
                    {{"speed", "max"}}));
  ASSERT_TRUE(rows(537));
  EXPECT_EQ(sink_.rows[0].values[0]->size(), 4 * 500U);
  EXPECT_EQ(base::get<float>(base::as_bytes(*sink_.rows[0].values[0]), 0), -0.021696F);
  EXPECT_EQ(sink_.rows[0].values[1], "0");
  EXPECT_EQ(sink_.rows[536].values[2], "536");
  EXPECT_EQ(sink_.rows[536].values[3], "1000");
}

TEST_F(Replay, WavChunksCarrySamplesAndLevel) {
  const auto file = shared_data("fsdd/recordings/0_george_0.wav");
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is absent";
  start(make_device("mic", "file:" + file,
                    {make_point("samples", "samples", "bytes"), make_point("rms", "rms"),
                     make_point("pcm", "pcm", "bytes")},
                    {{"speed", "max"}, {"start", "2026-01-01T00:00:00Z"}, {"hop", "50ms"}}));
  ASSERT_TRUE(rows(5));
  EXPECT_EQ(sink_.rows[0].values[0]->size(), 800 * sizeof(float));
  EXPECT_EQ(sink_.rows[0].values[2]->size(), 800 * sizeof(std::int16_t));
  EXPECT_NEAR(std::stod(*sink_.rows[0].values[1]), 0.11418460404895335, 1e-9);
  EXPECT_EQ(sink_.rows[1].ts - sink_.rows[0].ts, 50'000);
  // Half a window further, the second row begins where the first one's middle was.
  EXPECT_EQ(sink_.rows[0].values[0]->substr(1600, 1600), sink_.rows[1].values[0]->substr(0, 1600));
}

TEST_F(Replay, PlaysInRealTimeAndFaster) {
  const auto file = dir_.write("r.csv",
                               "time,x\n2026-01-01T00:00:00Z,1\n2026-01-01T00:00:10Z,2\n"
                               "2026-01-01T00:00:10Z,3\n2026-01-01T00:01:00Z,4\n");
  runtime::testing::SimClock clock;
  start(make_device("d", file, {make_point("x", "x")}, {{"speed", "2"}}), &clock);
  ASSERT_TRUE(until([&] { return clock.next().has_value(); }));
  EXPECT_EQ(sink_.rows.size(), 1U);
  clock.advance(Millis{4999});
  ASSERT_TRUE(until([] { return true; }));
  EXPECT_EQ(sink_.rows.size(), 1U);
  clock.advance(Millis{1});  // Ten recorded seconds at double speed.
  ASSERT_TRUE(rows(3));
  clock.advance(Seconds{25});
  ASSERT_TRUE(rows(4));
  EXPECT_TRUE(supervisor_->status().ready);  // It has nothing more to say, but it is well.
}

TEST_F(Replay, LoopGoesOnWithRisingTimes) {
  const auto file = dir_.write("r.csv", "time,x\n2026-01-01T00:00:00Z,1\n2026-01-01T00:00:10Z,2\n");
  start(make_device("d", file, {make_point("x", "x")},
                    {{"speed", "max"}, {"loop", "true"}, {"limit", "5"}}));
  ASSERT_TRUE(rows(5));
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(sink_.rows[i].ts, 1'767'225'600'000'000 + static_cast<std::int64_t>(i) * 10'000'000);
    EXPECT_EQ(sink_.rows[i].values[0], i % 2 == 0 ? "1" : "2");
  }
  stop();
  const auto matrix = dir_.write("m.dat", "1\n2\n");
  sink_.rows.clear();
  start(make_device("d", matrix, {make_point("x", "1")},
                    {{"speed", "max"}, {"loop", "true"}, {"limit", "5"}, {"period", "2s"}}));
  ASSERT_TRUE(rows(5));
  EXPECT_EQ(sink_.rows[4].ts - sink_.rows[0].ts, 8'000'000);
}

TEST_F(Replay, StopEndsALongSleepAtOnce) {
  const auto file = dir_.write("r.csv", "time,x\n2026-01-01T00:00:00Z,1\n2027-01-01T00:00:00Z,2\n");
  start(make_device("d", file, {make_point("x", "x")}));
  ASSERT_TRUE(rows(1));
  stop();
  EXPECT_EQ(sink_.rows.size(), 1U);
}

TEST_F(Replay, QuotesAndEmptyFieldsOfCsvAreUnderstood) {
  const auto file = dir_.write("r.csv",
                               "\xEF\xBB\xBFname,\"a \"\"b\"\"\",c\r\n"
                               "\"x,\ny\",1,\r\nz,oops,3\r\n");
  start(make_device(
      "d", file,
      {make_point("name", "name", "string"), make_point("b", "a \"b\""), make_point("c", "c")},
      {{"speed", "max"}}));
  ASSERT_TRUE(rows(2));
  EXPECT_EQ(sink_.rows[0].values[0], "x,\ny");
  EXPECT_FALSE(sink_.rows[0].values[2]);
  EXPECT_EQ(sink_.rows[0].quality, Quality::Good);
  EXPECT_FALSE(sink_.rows[1].values[1]);
  EXPECT_EQ(sink_.rows[1].quality, Quality::Bad);
}

TEST_F(Replay, FaultsNameFileAndLine) {
  const auto device = [&](const std::string& name, const std::string& text,
                          const std::string& column) {
    return make_device("d", dir_.write(name, text), {make_point("x", column)}, {{"speed", "max"}});
  };
  const auto at = [&](const std::string& name) { return (dir_.path() / name).string(); };
  EXPECT_EQ(failure(device("a.csv", "time,x\n2026-01-01T00:00:00Z,1\n2026-01-01,2\n", "x")),
            "Invalid: " + at("a.csv") +
                ":3: \"2026-01-01\" in column time is not a time: RFC 3339, YYYY-mm-dd HH:MM:SS, "
                "or a count since 1970 was expected");
  EXPECT_EQ(failure(device("b.csv", "a,x\n1,2\n3\n", "x")),
            "Invalid: " + at("b.csv") + ":3: 1 fields where the header has 2");
  EXPECT_EQ(failure(device("c.dat", "1 2\n3 x\n", "1")),
            "Invalid: " + at("c.dat") + ":2: \"x\" is not a number");
  EXPECT_EQ(failure(device("d.csv", "time,temperature\n", "temprature")),
            "Invalid: " + at("d.csv") +
                " has no column \"temprature\" for point x; did you mean \"temperature\"?");
  EXPECT_EQ(failure(device("e.ts", "@classLabel true 0 1\n@data\n1,2:0\n1:7\n", "series")),
            "Invalid: " + at("e.ts") + ":4: \"7\" is not a class of @classLabel");
  EXPECT_TRUE(failure(make_device("d", at("none.csv"), {})).starts_with("NotFound: "));
  EXPECT_TRUE(failure(make_device("d", at("none.xyz"), {})).starts_with("Invalid: "));
  EXPECT_TRUE(failure(device("f.wav", "RIFFxxxxWAVEdata", "rms")).starts_with("Invalid: "));
}

}  // namespace
}  // namespace infiniedge::device::replay
