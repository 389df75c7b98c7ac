// SPDX-License-Identifier: Apache-2.0
// The hub against a node that does not keep the rules, message by message.
#include "hub/ingest.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>

#include "hub/testing/world.hpp"
#include "record/block.hpp"
#include "record/value.hpp"
#include "sync/frame.hpp"

namespace infiniedge::hub {
namespace {

using testing::gateway_of;
using testing::World;

SchemaPtr boiler() {
  Schema schema{.stream = "boiler"};
  schema.fields = {{.id = kFirstField, .name = "value", .type = Type::Int}};
  return std::make_shared<const Schema>(std::move(schema));
}

/// A node whose every message the test writes.
class Puppet {
 public:
  Puppet(World& world, std::string principal = "node", unsigned char id = 1)
      : world_(world), link_(world.connect(std::move(principal))) {
    hello_.gateway = gateway_of(id);
    hello_.epoch = 1;
  }

  void say(std::string message) {
    bool done = false;
    boost::asio::co_spawn(world_.context, link_->send(std::move(message)),
                          [&done](std::exception_ptr, Result<void>) { done = true; });
    world_.run_for(Micros{0});
    ASSERT_TRUE(done);
  }
  void say(const sync::Frame& frame, record::Lane lane = record::Lane::Normal) {
    say(sync::encode(frame, lane));
  }
  void greet(bool ordered = true) {
    hello_.ordered = ordered;
    say(sync::Frame{hello_});
    ASSERT_TRUE(std::holds_alternative<sync::Welcome>(heard()));
  }
  void introduce() {
    say(sync::SchemaFrame{record::StreamDefinition{.id = 4, .schema = *boiler()}});
    say(sync::SchemaFrame{record::DeviceDefinition{.id = 1, .name = "plug-1"}});
  }
  sync::Data rows(std::uint64_t from, std::uint64_t to) {
    Batch batch = record::make_batch(boiler());
    batch.devices = {"plug-1"};
    for (auto seq = from; seq <= to; ++seq) {
      batch.device.push_back(0);
      batch.ts.push_back(static_cast<std::int64_t>(seq));
      batch.quality.push_back(Quality::Good);
      batch.columns[0].ints().push_back(static_cast<std::int64_t>(seq));
    }
    return {.stream = 4,
            .epoch = 1,
            .from = from,
            .to = to,
            .rows = static_cast<std::uint32_t>(to - from + 1),
            .block = *record::encode_block(batch, devices_)};
  }
  /// The next frame; an ErrorFrame "closed" once the hub has hung up.
  sync::Frame heard() {
    sync::Frame out = sync::ErrorFrame{.message = "silence"};
    boost::asio::co_spawn(world_.context, link_->receive(),
                          [&out](std::exception_ptr, Result<std::string> message) {
                            out = sync::ErrorFrame{.message = "closed"};
                            if (!message) return;
                            out = sync::decode(base::as_bytes(*message))->frame;
                          });
    world_.run_for(Micros{0});
    return out;
  }
  void expect_refusal(Code code) {
    const auto frame = heard();
    const auto* error = std::get_if<sync::ErrorFrame>(&frame);
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->code, code) << error->message;
    EXPECT_EQ(std::get<sync::ErrorFrame>(heard()).message, "closed");
  }
  void expect_ack(const sync::Ranges& ranges) {
    const auto frame = heard();
    const auto* ack = std::get_if<sync::Ack>(&frame);
    ASSERT_NE(ack, nullptr) << frame.index();
    EXPECT_EQ(ack->cover.ranges, ranges);
  }
  sync::Hello& hello() { return hello_; }

 private:
  World& world_;
  std::shared_ptr<sync::Link> link_;
  sync::Hello hello_;
  record::DeviceTable devices_;
};

struct IngestTest : ::testing::Test {
  IngestTest() : world(1) { world.start_hub(); }
  World world;
};

TEST_F(IngestTest, AHoleIsNackedOnceAndTheRestFollows) {
  Puppet node(world);
  node.greet();
  node.introduce();
  node.say(node.rows(1, 3));
  node.expect_ack({{1, 3}});
  node.say(node.rows(6, 8));
  node.say(node.rows(9, 9));
  const auto frame = node.heard();
  ASSERT_TRUE(std::holds_alternative<sync::Nack>(frame));
  EXPECT_EQ(std::get<sync::Nack>(frame).expected, 4U);
  node.say(node.rows(4, 8));
  node.expect_ack({{1, 8}});
}

TEST_F(IngestTest, OverlapsAndRepeatsAreStoredOnce) {
  Puppet node(world);
  node.greet();
  node.introduce();
  node.say(node.rows(1, 5));
  node.say(node.rows(3, 8));
  node.say(node.rows(2, 4));
  node.expect_ack({{1, 5}});
  node.expect_ack({{1, 8}});
  node.expect_ack({{1, 8}});
  EXPECT_EQ(world.inbox.rows("boiler", world.gateway).size(), 8U);
}

TEST_F(IngestTest, LiveFirstTakesHolesAndFillsThemLater) {
  Puppet node(world);
  node.greet(false);
  node.introduce();
  node.say(node.rows(6, 8));
  node.expect_ack({{6, 8}});
  node.say(node.rows(1, 5));
  node.expect_ack({{1, 8}});
}

TEST_F(IngestTest, AGapCountsAsCovered) {
  Puppet node(world);
  node.greet();
  node.introduce();
  node.say(sync::GapFrame{{.stream = 4, .epoch = 1, .from_seq = 1, .to_seq = 9, .rows = 9}});
  node.expect_ack({{1, 9}});
  node.say(node.rows(10, 11));
  node.expect_ack({{1, 11}});
  EXPECT_EQ(world.inbox.gaps().size(), 1U);
}

TEST_F(IngestTest, RefusesWhatBreaksTheRulesAndKeepsServingOthers) {
  Puppet good(world, "good", 2);
  good.greet();
  good.introduce();
  const auto bad = [&](Code code, auto act) {
    Puppet node(world);
    act(node);
    node.expect_refusal(code);
  };
  bad(Code::Corrupt, [](Puppet& node) { node.say(std::string("GET / HTTP/1.1")); });
  bad(Code::Corrupt, [](Puppet& node) { node.say(std::string()); });
  bad(Code::Invalid, [](Puppet& node) { node.say(sync::Nack{4, 1, 1}); });
  bad(Code::Unsupported, [](Puppet& node) {
    node.hello().version = 9;
    node.say(sync::Frame{node.hello()});
  });
  bad(Code::Invalid, [](Puppet& node) {
    node.greet();
    node.say(node.rows(1, 2));
  });
  bad(Code::Invalid, [](Puppet& node) {
    node.greet();
    node.say(sync::Frame{node.hello()});
  });
  bad(Code::Corrupt, [](Puppet& node) {
    node.greet();
    node.introduce();
    auto data = node.rows(1, 2);
    data.block.resize(data.block.size() - 1);
    node.say(data);
  });
  bad(Code::Corrupt, [](Puppet& node) {
    node.greet();
    node.introduce();
    auto data = node.rows(1, 2);
    data.rows = 1;
    node.say(data);
  });
  bad(Code::Invalid, [](Puppet& node) {
    node.greet();
    node.introduce();
    auto data = node.rows(1, 2);
    data.epoch = 2;
    node.say(data);
  });
  good.say(good.rows(1, 2));
  good.expect_ack({{1, 2}});
}

TEST_F(IngestTest, CreditComesBackWithWhatWasTaken) {
  world.stop_hub(false);
  world.limits.credit = 200;
  world.start_hub();
  Puppet node(world);
  node.greet();
  node.introduce();
  const auto message = sync::encode(node.rows(1, 2));
  node.say(message);
  node.expect_ack({{1, 2}});
  const auto frame = node.heard();
  const auto* credit = std::get_if<sync::Credit>(&frame);
  ASSERT_NE(credit, nullptr);
  EXPECT_EQ(*credit, (sync::Credit{record::Lane::Normal, message.size()}));
}

TEST_F(IngestTest, AFullDiskIsToldWithATimeToTryAgain) {
  Puppet node(world);
  node.greet();
  node.introduce();
  world.inbox.failures = {Code::Exhausted};
  node.say(node.rows(1, 2));
  const auto frame = node.heard();
  const auto* error = std::get_if<sync::ErrorFrame>(&frame);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->code, Code::Exhausted);
  EXPECT_GT(error->retry_after, 0U);
  EXPECT_TRUE(world.inbox.rows("boiler", world.gateway).empty());
}

TEST_F(IngestTest, ACertificateSpeaksForItsOwnGatewayOnly) {
  Puppet thief(world, "infiniedge://gateway/" + sync::to_string(gateway_of(9)));
  thief.say(sync::Frame{thief.hello()});
  thief.expect_refusal(Code::Denied);
  Puppet owner(world, "infiniedge://gateway/" + sync::to_string(gateway_of(1)));
  owner.greet();
  Puppet copy(world, "another-token");
  copy.say(sync::Frame{copy.hello()});
  copy.expect_refusal(Code::Denied);
}

TEST_F(IngestTest, ANewConnectionReplacesTheOldOne) {
  Puppet old(world);
  old.greet();
  Puppet fresh(world);
  fresh.greet();
  EXPECT_EQ(std::get<sync::ErrorFrame>(old.heard()).message, "closed");
  fresh.introduce();
  fresh.say(fresh.rows(1, 2));
  fresh.expect_ack({{1, 2}});
}

TEST_F(IngestTest, SilenceInsteadOfAHelloIsClosed) {
  Puppet node(world);
  world.run_for(Seconds{31});
  EXPECT_EQ(std::get<sync::ErrorFrame>(node.heard()).message, "closed");
}

TEST_F(IngestTest, AWelcomeSaysWhatTheHubHas) {
  Puppet first(world);
  first.greet();
  first.introduce();
  first.say(first.rows(1, 5));
  first.expect_ack({{1, 5}});
  Puppet second(world);
  second.hello().streams = {
      {.id = 4, .name = "boiler", .first_epoch = 1, .epoch = 1, .last_seq = 9}};
  second.say(sync::Frame{second.hello()});
  const auto frame = second.heard();
  const auto* welcome = std::get_if<sync::Welcome>(&frame);
  ASSERT_NE(welcome, nullptr);
  ASSERT_EQ(welcome->covers.size(), 1U);
  EXPECT_EQ(welcome->covers[0], (sync::StreamCover{4, 1, {{1, 5}}}));
  EXPECT_EQ(welcome->credit.size(), 4U);
}

}  // namespace
}  // namespace infiniedge::hub
