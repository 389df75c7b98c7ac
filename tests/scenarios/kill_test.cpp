// SPDX-License-Identifier: Apache-2.0
// The promise of the product, on real processes: what was acknowledged is at the hub, once.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "rig.hpp"

namespace infiniedge::tests {
namespace {

constexpr int kNodeKills = 20, kHubKills = 10;
constexpr std::chrono::milliseconds kBetweenKills{900};
constexpr std::chrono::seconds kOutage{30};
constexpr const char* kStreams[] = {"appliances", "energy"};

/// The rows that were visible, and so durable, before a kill must still be there after it.
void expect_kept(const std::map<std::uint64_t, int>& before,
                 const std::map<std::uint64_t, int>& after) {
  for (const auto& [seq, times] : before)
    ASSERT_TRUE(after.contains(seq)) << "row " << seq << " was acknowledged and is lost";
}

TEST(Scenario, KillsAndAnOutageLoseNothingAndDoubleNothing) {
  Rig rig;
  const auto failed = rig.start(16);
  if (failed.starts_with("skip: ")) GTEST_SKIP() << failed;
  ASSERT_EQ(failed, "");
  rig.play(500, Millis{160});

  int hub_kills = 0;
  for (int kill = 1; kill <= kNodeKills; ++kill) {
    std::this_thread::sleep_for(kBetweenKills);
    const auto before = rig.sequence(false, "appliances");
    rig.kill_node();
    ASSERT_EQ(rig.start_node(), "");
    expect_kept(before, rig.sequence(false, "appliances"));
    if (kill % 2 != 0) continue;
    rig.kill_hub();
    ASSERT_EQ(rig.start_hub(), "");
    ++hub_kills;
  }
  ASSERT_EQ(hub_kills, kHubKills);

  // The link goes; the node goes on answering.
  rig.link().cut();
  const auto answered = rig.count("SELECT count(*) FROM appliance__decision");
  std::this_thread::sleep_for(kOutage);
  const auto later = rig.count("SELECT count(*) FROM appliance__decision");
  EXPECT_GT(later, answered + 20) << rig.logs();
  rig.link().mend();

  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{120};
  while (rig.playing() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
  for (const auto* stream : kStreams) {
    std::map<std::uint64_t, int> here, there;
    do {
      std::this_thread::sleep_for(std::chrono::milliseconds{500});
      here = rig.sequence(false, stream);
      there = rig.sequence(true, stream);
    } while (there.size() < here.size() && std::chrono::steady_clock::now() < end);
    ASSERT_GT(here.size(), 5U) << stream;
    EXPECT_EQ(here.size(), there.size()) << stream << "\n" << rig.logs();
    for (const auto& [seq, times] : there)
      ASSERT_EQ(times, 1) << stream << " row " << seq << " is there " << times << " times";
    for (const auto& [seq, times] : here)
      ASSERT_TRUE(there.contains(seq)) << stream << " row " << seq << " is missing at the hub";
    EXPECT_EQ(here.rbegin()->first, here.size()) << stream << " has holes";
  }
}

}  // namespace
}  // namespace infiniedge::tests
