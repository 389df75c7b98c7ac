// SPDX-License-Identifier: Apache-2.0
// The metrics page says what a node and a hub of the appliance story really expose.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "app/reference/pages.hpp"
#include "one_node.hpp"
#include "rig.hpp"

namespace infiniedge::tests {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Metrics, ThePageListsEveryMetricOfANodeAndAHub) {
  Rig rig;
  const auto failed = rig.start(4);
  if (failed.starts_with("skip: ")) GTEST_SKIP() << failed;
  ASSERT_EQ(failed, "");
  const auto measured = [&] {
    return rig.metrics(false).find("infiniedge_model_cost_seconds{") != std::string::npos;
  };
  ASSERT_TRUE(eventually(measured)) << rig.logs();
  const std::string exposed[] = {rig.metrics(false), rig.metrics(true)};
  const auto page = app::metrics_page(exposed);
  if (const char* folder = std::getenv("INFINIEDGE_WRITE_REFERENCE"); folder != nullptr)
    std::ofstream(std::string{folder} + "/" + page.file) << page.text;
  EXPECT_EQ(page.text, text_of(std::string{INFINIEDGE_SOURCE_DIR} + "/docs/reference/metrics.md"))
      << "INFINIEDGE_WRITE_REFERENCE=docs/reference and this test write it";
}

TEST(Metrics, PromtoolFindsNoFault) {
  if (std::system("command -v promtool > /dev/null") != 0)
    GTEST_SKIP() << "promtool is not installed";
  Rig rig;
  const auto failed = rig.start(2);
  if (failed.starts_with("skip: ")) GTEST_SKIP() << failed;
  ASSERT_EQ(failed, "");
  for (const bool hub : {false, true}) {
    const auto file = testing::TempDir() + "/metrics.txt";
    std::ofstream(file) << rig.metrics(hub);
    // Triton's names are kept as they are, though counters should end on _total.
    const auto check = "grep -v nv_ " + file + " | promtool check metrics";
    EXPECT_EQ(std::system(check.c_str()), 0) << text_of(file);
  }
}

}  // namespace
}  // namespace infiniedge::tests
