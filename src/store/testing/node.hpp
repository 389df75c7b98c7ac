// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "runtime/testing/run.hpp"
#include "runtime/testing/sim_clock.hpp"
#include "runtime/testing/sim_disk.hpp"
#include "store/store.hpp"
#include "store/testing/memory_catalogue.hpp"

namespace infiniedge::store::testing {

/// One int field, `n`.
SchemaPtr numbered_schema(const std::string& stream);
/// Rows whose `n` counts from `first`, one device, a second apart.
Batch numbered_rows(const std::string& stream, std::uint64_t first, std::size_t count);
std::int64_t numbered_ts(std::uint64_t n);

/// A store on a simulated disk that a test starts, stops, kills and looks into.
///
/// Thread: the test's alone: workers run inline, so that a seed always gives the same run.
/// Owner:  a test.
class SimNode {
 public:
  SimNode();
  /// On a disk and catalogue state of one's own: what a crash left.
  SimNode(std::unique_ptr<runtime::testing::SimDisk> disk, CatalogueState catalogue);
  /// A second process on the same disk.
  explicit SimNode(SimNode& other);
  ~SimNode();

  Store::Options& options() { return options_; }
  void start();
  bool is_up() const { return store_ != nullptr; }
  Result<void> try_start();
  void stop();
  /// As SIGKILL: nothing is closed; the disk shows all that was written, and a power cut may still
  /// take what was not synced.
  void kill();
  /// Then the power goes: of what was not durable, `fates` tells what is left.
  void cut_power(const std::vector<runtime::testing::SimDisk::Fate>& fates = {});
  void lose_catalogue();
  void advance(Micros by);
  /// Lets seals and other background work finish.
  void settle();

  Store& store() { return *store_; }
  runtime::testing::SimDisk& disk() { return *disk_; }
  CatalogueHistory& catalogue() { return *catalogue_; }
  runtime::Entropy& entropy() { return entropy_; }
  boost::asio::io_context& context() { return *context_; }
  template <class T>
  T run(Task<T> task) {
    return runtime::testing::run(*context_, std::move(task));
  }

  StreamId declare(const std::string& stream);
  Appended append(const std::string& stream, std::uint64_t first, std::size_t count);
  /// `n` of every row of the stream, segments included, in no order.
  std::vector<std::int64_t> rows(const std::string& stream, const record::GatewayId& origin = {});

 private:
  struct Workers {
    runtime::Workers disk{"disk", 0};
    runtime::Workers compute{"compute", 0};
  };

  std::shared_ptr<runtime::testing::SimDisk> disk_;
  std::shared_ptr<CatalogueHistory> catalogue_;
  runtime::testing::SimClock clock_;
  runtime::SeededEntropy entropy_{7};
  runtime::Metrics metrics_;
  Store::Options options_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<boost::asio::io_context> context_;
  std::unique_ptr<Store> store_;
};

}  // namespace infiniedge::store::testing
