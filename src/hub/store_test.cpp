// SPDX-License-Identifier: Apache-2.0
// A node and a hub with their real stores in files, over a link that breaks, each reopened midway.
#include "store/store.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "hub/ingest.hpp"
#include "record/value.hpp"
#include "runtime/clock.hpp"
#include "runtime/disk.hpp"
#include "runtime/testing/run.hpp"
#include "sync/testing/sim_link.hpp"
#include "sync/uplink.hpp"

namespace infiniedge::hub {
namespace {

constexpr const char* kUplink = "plant-hub";

SchemaPtr boiler() {
  Schema schema{.stream = "boiler"};
  schema.fields = {{.id = kFirstField, .name = "value", .type = Type::Int}};
  return std::make_shared<const Schema>(std::move(schema));
}

/// What one process has: threads, directory, store.
struct Machine {
  Machine(boost::asio::io_context& context, std::string path, Clock& clock) : dir(std::move(path)) {
    environment.executor = context.get_executor();
    environment.disk = disk.get();
    environment.clock = &clock;
    environment.entropy = &entropy;
    environment.metrics = &metrics;
    environment.disk_worker = &disk_worker;
    environment.compute = &compute;
  }
  Task<bool> open() {
    store::Store::Options options{.dir = dir, .log_file_bytes = 1 << 20, .log_bytes = 1 << 20};
    auto opened = co_await store::Store::open(environment, std::move(options));
    if (!opened) {
      ADD_FAILURE() << opened.error().describe();
      co_return false;
    }
    store = std::move(*opened);
    co_return true;
  }
  Task<void> close() {
    co_await store->close();
    store.reset();
  }

  std::string dir;
  std::unique_ptr<runtime::Disk> disk = runtime::make_posix_disk();
  runtime::SystemEntropy entropy;
  runtime::Metrics metrics;
  runtime::Workers disk_worker{"disk", 1}, compute{"compute", 1};
  store::Store::Environment environment;
  std::unique_ptr<store::Store> store;
};

struct HubStoreTest : ::testing::Test {
  HubStoreTest() { std::filesystem::create_directories(dir); }
  ~HubStoreTest() override { std::filesystem::remove_all(dir); }

  class Dialer final : public sync::Dialer {
   public:
    explicit Dialer(HubStoreTest& test) : test_(test) {}
    Task<Result<std::shared_ptr<sync::Link>>> dial() override {
      if (!test_.ingest) co_return Error{Code::Unavailable, "connection refused"};
      auto [near, far] = sync::testing::make_sim_link(test_.context.get_executor(), test_.entropy,
                                                      {.cut = 0.02, .duplicate = 0.2});
      test_.serving.spawn(test_.ingest->serve(far, "node"));
      co_return near;
    }

   private:
    HubStoreTest& test_;
  };

  Task<bool> start_hub() {
    if (!co_await hub.open()) co_return false;
    ingest = std::make_unique<Ingest>(context.get_executor(), *hub.store, clock, hub.metrics);
    co_return true;
  }
  Task<void> stop_hub() {
    co_await ingest->close();
    ingest.reset();
    co_await hub.close();
  }
  Task<bool> start_node() {
    if (!co_await node.open()) co_return false;
    auto id = co_await node.store->declare(boiler(), {.uplinks = {kUplink}});
    if (!id) co_return false;
    stream = *id;
    uplink = std::make_unique<sync::Uplink>(
        context.get_executor(), sync::make_outbox(*node.store), std::make_unique<Dialer>(*this),
        clock, entropy, node.metrics, sync::UplinkOptions{.name = kUplink, .address = "sim:"});
    uplink->start();
    co_return true;
  }
  Task<void> stop_node() {
    co_await uplink->stop();
    uplink.reset();
    co_await node.close();
  }
  Task<bool> append(std::int64_t count) {
    Batch batch = record::make_batch(boiler());
    batch.devices = {"plug-1"};
    for (; count > 0; --count) {
      batch.device.push_back(0);
      batch.ts.push_back(next_value);
      batch.quality.push_back(Quality::Good);
      batch.columns[0].ints().push_back(next_value++);
    }
    auto appended = co_await node.store->append(std::move(batch));
    co_return appended.has_value();
  }
  Task<bool> drain() {
    for (int i = 0; i < 3000; ++i) {
      if (node.store->cursor(kUplink, stream).hwm + 1 == static_cast<std::uint64_t>(next_value)) {
        co_return true;
      }
      static_cast<void>(co_await clock.sleep_for(Millis{10}));
    }
    co_return false;
  }
  /// All rows that the hub holds, `_seq` to value; a number that is there twice fails the test.
  std::map<std::uint64_t, std::int64_t> rows_at_hub() {
    std::map<std::uint64_t, std::int64_t> out;
    const auto snapshot = hub.store->snapshot();
    for (const auto& table : snapshot->tables) {
      EXPECT_TRUE(table.segments.empty()) << "the test reads memory only";
      for (const auto& chunk : table.chunks) {
        for (std::size_t row = 0; row < chunk->rows.rows(); ++row) {
          EXPECT_TRUE(out.emplace(chunk->rows.seq[row], chunk->rows.columns[0].ints()[row]).second)
              << "row " << chunk->rows.seq[row] << " is there twice";
        }
      }
    }
    return out;
  }
  Task<void> story();

  std::filesystem::path dir =
      std::filesystem::temp_directory_path() / ("hub_store_test." + std::to_string(getpid()));
  boost::asio::io_context context;
  runtime::SystemClock clock;
  runtime::SeededEntropy entropy{3};
  Machine node{context, dir / "node", clock}, hub{context, dir / "hub", clock};
  std::unique_ptr<Ingest> ingest;
  std::unique_ptr<sync::Uplink> uplink;
  runtime::Scope serving{context.get_executor()};
  store::StreamId stream = 0;
  std::int64_t next_value = 1;
};

Task<void> HubStoreTest::story() {
  const bool started = co_await start_hub() && co_await start_node();
  EXPECT_TRUE(started);
  if (!started) co_return;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(co_await append(1 + i * 3));
    if (round == 1) {
      co_await stop_hub();
      EXPECT_TRUE(co_await append(10));
      EXPECT_TRUE(co_await start_hub());
    }
    if (round == 2) {
      co_await stop_node();
      EXPECT_TRUE(co_await start_node());
    }
  }
  EXPECT_TRUE(co_await drain());
  const auto rows = rows_at_hub();
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(next_value - 1));
  for (const auto& [seq, value] : rows) EXPECT_EQ(static_cast<std::int64_t>(seq), value);
  const auto nodes = ingest->nodes();
  EXPECT_EQ(nodes.size(), 1U);
  if (nodes.size() == 1 && nodes[0].streams.size() == 1) {
    EXPECT_EQ(nodes[0].streams[0].high_water, static_cast<std::uint64_t>(next_value - 1));
    EXPECT_EQ(nodes[0].streams[0].rows, static_cast<std::uint64_t>(next_value - 1));
  }
  co_await stop_node();
  co_await stop_hub();
  co_await serving.close();
}

TEST_F(HubStoreTest, RowsInFilesArriveExactlyOnceOverALinkThatBreaks) {
  runtime::testing::run(context, story());
}

}  // namespace
}  // namespace infiniedge::hub
