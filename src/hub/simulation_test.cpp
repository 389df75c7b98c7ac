// SPDX-License-Identifier: Apache-2.0
// Nodes and hubs that stop, links that break, messages that come twice: what the hub has in the end
// must be exactly what the node acknowledged to its devices. INFINIEDGE_SEED=N runs one seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "hub/testing/world.hpp"

namespace infiniedge::hub {
namespace {

using record::Lane;
using testing::kUplink;
using testing::World;

constexpr std::uint64_t kSeeds = 600;

struct Streams {
  explicit Streams(World& world) {
    names = {"alarms", "presses", "boiler", "waves"};
    const Lane lanes[] = {Lane::Alarm, Lane::High, Lane::Normal, Lane::Bulk};
    for (std::size_t i = 0; i < names.size(); ++i) {
      ids.push_back(world.outbox.declare(names[i], lanes[i], kUplink));
    }
  }
  std::vector<std::string> names;
  std::vector<store::StreamId> ids;
};

std::vector<std::uint64_t> seeds() {
  if (const char* one = std::getenv("INFINIEDGE_SEED")) return {std::strtoull(one, nullptr, 10)};
  std::vector<std::uint64_t> all(kSeeds);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i + 1;
  return all;
}

/// One thing that goes wrong, or some rows more.
void disturb(World& world, const Streams& streams) {
  const auto roll = world.entropy.u64() % 100;
  const auto stream = streams.ids[world.entropy.u64() % streams.ids.size()];
  if (roll < 60) {
    world.outbox.append(stream, 1 + world.entropy.u64() % 30);
  } else if (roll < 75) {
    world.cut();
  } else if (roll < 85) {
    if (world.hub_up()) {
      world.stop_hub(world.entropy.u64() % 2 == 0);
    } else {
      world.start_hub();
    }
  } else if (roll < 95) {
    if (world.node_up()) {
      world.stop_node();
      world.outbox.crash(0);
    } else {
      world.start_node();
    }
  } else {
    world.inbox.failures = {Code::Exhausted};
  }
}

void recover(World& world) {
  world.faults = {};
  world.inbox.failures.clear();
  if (!world.hub_up()) world.start_hub();
  if (!world.node_up()) world.start_node();
  // Lossy connections that still stand end like all others.
  world.cut();
}

void expect_exactly_once(World& world, const Streams& streams) {
  for (std::size_t i = 0; i < streams.ids.size(); ++i) {
    const auto got = world.inbox.rows(streams.names[i], world.gateway);
    const auto& sent = world.outbox.rows(streams.ids[i]);
    ASSERT_EQ(got.size(), sent.size()) << streams.names[i];
    for (std::size_t row = 0; row < got.size(); ++row) {
      // Equal order also means that no row came twice and none before its predecessor.
      ASSERT_EQ(got[row].epoch, sent[row].epoch) << streams.names[i] << " row " << row;
      ASSERT_EQ(got[row].seq, sent[row].seq) << streams.names[i] << " row " << row;
      ASSERT_EQ(got[row].value, sent[row].value) << streams.names[i] << " row " << row;
    }
  }
}

void run_seed(std::uint64_t seed) {
  World world(seed);
  const Streams streams(world);
  world.faults = {.cut = 0.03 * world.entropy.unit(), .duplicate = 0.3 * world.entropy.unit()};
  world.start_hub();
  world.start_node();
  for (int step = 0; step < 40; ++step) {
    disturb(world, streams);
    world.run_for(Millis{static_cast<std::int64_t>(world.entropy.u64() % 3000)});
  }
  recover(world);
  ASSERT_TRUE(world.drain(Seconds{600})) << "rows are left after ten minutes of a good link";
  world.run_for(Seconds{2});
  expect_exactly_once(world, streams);
  EXPECT_TRUE(world.inbox.gaps().empty());
  EXPECT_EQ(world.uplink().state().backlog_rows, 0U);
}

TEST(Simulation, TheHubHasEveryRowExactlyOnceWhateverBreaks) {
  for (const auto seed : seeds()) {
    run_seed(seed);
    ASSERT_FALSE(HasFailure()) << "rerun with INFINIEDGE_SEED=" << seed;
  }
}

void run_eviction_seed(std::uint64_t seed) {
  World world(seed);
  const Streams streams(world);
  std::set<std::pair<std::uint64_t, std::int64_t>> ever;
  const auto remember = [&] {
    for (const auto& row : world.outbox.rows(streams.ids[2])) ever.insert({row.seq, row.value});
  };
  world.start_node();
  world.outbox.append(streams.ids[2], 100);
  remember();
  world.outbox.evict(streams.ids[2], 1 + world.entropy.u64() % 40, true);
  world.outbox.evict(streams.ids[2], 1 + world.entropy.u64() % 40, false);
  world.start_hub();
  world.faults = {.cut = 0.05, .duplicate = 0.3};
  world.run_for(Seconds{20});
  world.outbox.append(streams.ids[2], 50);
  remember();
  recover(world);
  ASSERT_TRUE(world.drain(Seconds{600}));
  const auto got = world.inbox.rows("boiler", world.gateway);
  std::set<std::pair<std::uint64_t, std::int64_t>> here;
  for (const auto& row : got) {
    ASSERT_TRUE(here.insert({row.seq, row.value}).second);
    ASSERT_TRUE(ever.contains({row.seq, row.value}));
  }
  for (const auto& row : world.outbox.rows(streams.ids[2])) {
    ASSERT_TRUE(here.contains({row.seq, row.value}));
  }
  const auto lost = ever.size() - here.size();
  std::uint64_t named = 0;
  for (const auto& gap : world.inbox.gaps()) named += gap.rows;
  EXPECT_EQ(named, lost);
  EXPECT_GE(world.uplink().state().gap_rows, 1U);
}

TEST(Simulation, RowsThatWereLostAreNamedAndTheRestArrives) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    run_eviction_seed(seed);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(Simulation, ADiskThatWentBackInTimeStartsANewEpoch) {
  World world(1);
  const Streams streams(world);
  world.start_hub();
  world.start_node();
  world.outbox.append(streams.ids[2], 30);
  ASSERT_TRUE(world.drain(Seconds{60}));
  world.stop_node();
  world.outbox.crash(7);
  world.start_node();
  world.run_for(Seconds{5});
  EXPECT_EQ(world.outbox.epoch(), 2U);
  world.outbox.append(streams.ids[2], 10);
  world.outbox.append(streams.ids[0], 10);
  ASSERT_TRUE(world.drain(Seconds{30}));
  EXPECT_EQ(world.inbox.rows("alarms", world.gateway).size(), 10U);
  const auto got = world.inbox.rows("boiler", world.gateway);
  ASSERT_EQ(got.size(), 40U);
  EXPECT_EQ(got.back().epoch, 2U);
  EXPECT_EQ(got.back().value, world.outbox.rows(streams.ids[2]).back().value);
}

TEST(Simulation, AHubThatLostItsDataIsFilledAgain) {
  World world(2);
  const Streams streams(world);
  world.start_hub();
  world.start_node();
  world.outbox.append(streams.ids[2], 30);
  ASSERT_TRUE(world.drain(Seconds{60}));
  world.stop_hub(false);
  world.inbox.wipe();
  world.start_hub();
  world.outbox.append(streams.ids[2], 5);
  world.run_for(Seconds{90});
  EXPECT_EQ(world.inbox.rows("boiler", world.gateway).size(), 35U);
}

TEST(Simulation, AStreamThatIsRefusedDoesNotHoldUpTheOthers) {
  World world(3);
  const auto refused = world.outbox.declare("refused", Lane::Normal, kUplink);
  const auto good = world.outbox.declare("boiler", Lane::Normal, kUplink);
  world.start_hub();
  world.start_node();
  world.outbox.append(refused, 10);
  world.outbox.append(good, 40);
  world.run_for(Seconds{60});
  EXPECT_EQ(world.inbox.rows("boiler", world.gateway).size(), 40U);
  EXPECT_EQ(world.uplink().state().backlog_rows, 10U);
  EXPECT_EQ(world.uplink().state().link, sync::LinkState::Connected);
}

TEST(Simulation, OnlyStreamsThatNameTheUplinkAreSent) {
  World world(4);
  const auto other = world.outbox.declare("private", Lane::Normal, "another-hub");
  world.start_hub();
  world.start_node();
  world.outbox.append(other, 10);
  world.run_for(Seconds{10});
  EXPECT_TRUE(world.inbox.rows("private", world.gateway).empty());
  EXPECT_EQ(world.uplink().state().backlog_rows, 0U);
}

TEST(Simulation, AStreamTakenFromTheUplinkIsSentNoFurther) {
  World world(7);
  const auto stream = world.outbox.declare("boiler", Lane::Normal, kUplink);
  world.start_hub();
  world.start_node();
  world.outbox.append(stream, 10);
  ASSERT_TRUE(world.drain(Seconds{60}));
  world.outbox.route(stream, {});
  world.outbox.append(stream, 10);
  world.run_for(Seconds{10});
  EXPECT_EQ(world.inbox.rows("boiler", world.gateway).size(), 10U);
}

TEST(Simulation, AnAlarmOvertakesABulkBacklog) {
  World world(5);
  const Streams streams(world);
  world.start_hub();
  world.start_node();
  world.run_for(Seconds{2});
  world.outbox.append(streams.ids[3], 20'000);
  world.outbox.append(streams.ids[0], 50);
  world.context.restart();
  while (world.inbox.rows("alarms", world.gateway).size() < 50) {
    ASSERT_EQ(world.context.poll_one(), 1U) << "nothing goes on, and the alarms are not there";
  }
  EXPECT_LT(world.inbox.rows("waves", world.gateway).size(), 2'000U);
  ASSERT_TRUE(world.drain(Seconds{600}));
}

TEST(Simulation, StateAndMetricsFollowTheLink) {
  World world(6);
  const Streams streams(world);
  world.start_node();
  world.outbox.append(streams.ids[2], 12);
  world.run_for(Seconds{30});
  EXPECT_EQ(world.uplink().state().link, sync::LinkState::Down);
  EXPECT_EQ(world.uplink().state().backlog_rows, 12U);
  EXPECT_NE(world.uplink().state().last_error, "");
  EXPECT_NE(world.metrics.text().find(
                "infiniedge_sync_backlog_rows{lane=\"normal\",uplink=\"plant-hub\"} 12"),
            std::string::npos)
      << world.metrics.text();
  world.start_hub();
  ASSERT_TRUE(world.drain(Seconds{120}));
  world.run_for(Seconds{2});
  EXPECT_EQ(world.uplink().state().link, sync::LinkState::Connected);
  EXPECT_EQ(world.uplink().state().acked_rows, 12U);
  EXPECT_EQ(world.uplink().state().last_error, "");
  const auto nodes = world.hub().nodes();
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0].name, "press");
  EXPECT_TRUE(nodes[0].connected);
  ASSERT_EQ(nodes[0].streams.size(), 1U);
  EXPECT_EQ(nodes[0].streams[0].high_water, 12U);
  EXPECT_EQ(nodes[0].streams[0].rows, 12U);
}

}  // namespace
}  // namespace infiniedge::hub
