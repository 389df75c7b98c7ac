// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/testing/node.hpp"

namespace infiniedge::store::testing {

/// What a caller was told, and how many disk operations had happened by then.
struct Acknowledged {
  std::size_t operation = 0;
  std::string stream;
  std::uint32_t epoch = 0;
  std::uint64_t from = 0, to = 0;  ///< Numbers of the rows.
};

/// A seeded life of a node that is also a hub: declarations, appends alone and together, remote
/// batches with repeats and holes, seals, clean restarts, idle times. Row `seq` of a stream always
/// holds the value value_of(stream, epoch, seq), so that any row can be judged alone.
///
/// Thread: the test's.
/// Owner:  a test.
class CrashWorkload {
 public:
  CrashWorkload(std::uint64_t seed, std::size_t steps);

  void run();
  /// The n-th disk call fails; 1 is the first.
  void run_with_fault(std::size_t n, Code code);

  SimNode& node() { return node_; }
  const std::vector<Acknowledged>& acknowledged() const { return acknowledged_; }
  /// Disk calls that could have failed.
  std::size_t fallible() const { return fallible_; }

  static std::int64_t value_of(const std::string& stream, std::uint32_t epoch, std::uint64_t seq);
  static constexpr const char* kLocal[] = {"boiler", "pump"};
  static constexpr const char* kRemote = "meter";
  static record::GatewayId remote_gateway();
  static Store::Options options();

 private:
  bool start();
  void step();
  void append(std::size_t streams);
  void append_many();
  void append_remote();
  Batch next_rows(const std::string& stream, std::size_t count);
  void acknowledge(const std::string& stream, std::uint32_t epoch, std::uint64_t from,
                   std::uint64_t to);
  std::uint64_t pick(std::uint64_t below) { return entropy_.u64() % below; }

  runtime::SeededEntropy entropy_;
  std::size_t steps_;
  SimNode node_;
  std::vector<Acknowledged> acknowledged_;
  std::uint64_t remote_next_ = 1;
  std::size_t fallible_ = 0;
};

/// What a store holds, row by row.
struct Contents {
  using Place = std::pair<std::uint32_t, std::uint64_t>;  ///< Epoch and number.
  std::map<std::string, std::map<Place, std::int64_t>> rows;
  std::map<std::string, std::set<Place>> gaps;
  std::map<std::string, std::set<Place>> covers;  ///< Of remote streams.
  std::set<std::string> quarantined;
  std::string problem;  ///< A row twice; empty: none.
  bool operator==(const Contents&) const = default;
};
Contents contents_of(SimNode& node);

/// What is wrong with `contents`, given what was acknowledged before operation `at`; empty: none.
/// `damaged`: bytes were flipped, so acknowledged rows may be missing if a gap names them.
std::string judge(const Contents& contents, const std::vector<Acknowledged>& acknowledged,
                  std::size_t at, bool damaged);

}  // namespace infiniedge::store::testing
