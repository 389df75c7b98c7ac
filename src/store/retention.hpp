// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "infiniedge/task.hpp"
#include "infiniedge/time.hpp"
#include "runtime/metrics.hpp"
#include "runtime/workers.hpp"
#include "store/catalogue.hpp"
#include "store/snapshot.hpp"

namespace infiniedge::store {

class DuckDb;
class Store;

/// Why a segment goes, in the order in which reasons are used up.
enum class Evict : std::uint8_t {
  Expired,       ///< Older than its stream keeps.
  Acknowledged,  ///< Every uplink has it.
  Downsample,    ///< Bulk that nobody has: its 1-minute rollup stays.
  Lost           ///< Nobody has it.
};

struct Eviction {
  SegmentPtr segment;
  Evict why = Evict::Expired;
  std::vector<record::Gap> gaps;  ///< Rows that some uplink still wanted, or that nobody has.
};

struct RetentionPlan {
  std::vector<Eviction> evictions;       ///< In order.
  std::optional<record::Lane> refuse{};  ///< Lanes from this one on take no more rows.
};

struct RetentionInput {
  const Snapshot* snapshot = nullptr;
  Timestamp now;
  std::uint64_t limit = 0;  ///< `store.max_bytes`.
  std::function<Cursor(std::string_view peer, StreamId stream)> cursor;
};

/// What must go now: everything expired; and above 90 % of the room, acknowledged segments,
/// then bulk against its rollup, then others, lowest lane and oldest first, down to 85 %. The
/// alarm lane is never evicted, nor expired before it is acknowledged. Pure.
RetentionPlan plan_retention(const RetentionInput& input);

/// Bytes that segments may take: `limit` less the reserve for log, audit and gaps.
std::uint64_t segment_room(std::uint64_t limit);

/// Carries plans out.
///
/// Thread:  the store's shard; rollups are computed on `workers`.
/// Owner:   app. Store, DuckDb, Clock and Workers outlive it.
/// Errors:  those of the store; a rollup that fails keeps its segment.
class Retention {
 public:
  struct Environment {
    Store* store = nullptr;
    DuckDb* duckdb = nullptr;  ///< Null: no rollups; bulk nobody has is lost instead.
    Clock* clock = nullptr;
    runtime::Workers* workers = nullptr;
    runtime::Metrics* metrics = nullptr;
  };
  explicit Retention(Environment environment);

  /// One pass.
  Task<Result<void>> pass();
  /// A pass each minute until the caller's scope is cancelled.
  Task<void> run();

 private:
  Task<Result<void>> evict(Eviction eviction);
  Task<Result<void>> downsample(Eviction& eviction);

  Environment environment_;
  runtime::Counter* evicted_ = nullptr;
  runtime::Counter* lost_rows_ = nullptr;
};

}  // namespace infiniedge::store
