// SPDX-License-Identifier: Apache-2.0
#include "runtime/metrics.hpp"

#include <gtest/gtest.h>

#include "runtime/log.hpp"

namespace infiniedge::runtime {
namespace {

TEST(Metrics, TextIsSortedAndEscaped) {
  Metrics metrics;
  metrics.counter("infiniedge_b_total", "B.", {{"z", "1"}, {"a", "x\"y"}}).add(3);
  metrics.gauge("infiniedge_a_bytes", "A.").set(1.5);
  EXPECT_EQ(metrics.text(),
            "# HELP infiniedge_a_bytes A.\n# TYPE infiniedge_a_bytes gauge\n"
            "infiniedge_a_bytes 1.5\n"
            "# HELP infiniedge_b_total B.\n# TYPE infiniedge_b_total counter\n"
            "infiniedge_b_total{a=\"x\\\"y\",z=\"1\"} 3\n");
}

TEST(Metrics, LabelValuesAreBounded) {
  Metrics metrics;
  for (int i = 0; i < 1000; ++i) {
    metrics.counter("infiniedge_x_total", "X.", {{"k", std::to_string(i)}}).add();
  }
  EXPECT_NE(metrics.text().find("k=\"other\"} 500"), std::string::npos);
}

TEST(Histogram, QuantileLiesInTheRightBucket) {
  Histogram histogram;
  for (int i = 0; i < 99; ++i) histogram.observe(0.0002);
  histogram.observe(2.0);
  EXPECT_LE(histogram.quantile(0.5), 0.00025);
  EXPECT_GE(histogram.quantile(0.5), 0.0001);
  EXPECT_GT(histogram.quantile(0.999), 1.0);
}

TEST(Log, RefusesAnUnknownLevelByName) {
  const auto result = configure_log("info,device=loud", LogFormat::Auto);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message().find("loud"), std::string::npos);
}

TEST(Log, ModuleLevelWinsOverTheDefault) {
  ASSERT_TRUE(configure_log("warning,device=debug", LogFormat::Auto));
  EXPECT_TRUE(log_enabled(Level::Debug, "device"));
  EXPECT_FALSE(log_enabled(Level::Info, "store"));
  ASSERT_TRUE(configure_log("info", LogFormat::Auto));
}

}  // namespace
}  // namespace infiniedge::runtime
