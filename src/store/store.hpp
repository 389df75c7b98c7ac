// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "infiniedge/batch.hpp"
#include "infiniedge/task.hpp"
#include "infiniedge/time.hpp"
#include "runtime/disk.hpp"
#include "runtime/entropy.hpp"
#include "runtime/metrics.hpp"
#include "runtime/workers.hpp"
#include "store/catalogue.hpp"
#include "store/segment.hpp"
#include "store/snapshot.hpp"

namespace infiniedge::store {

/// The acknowledgement of an append: these rows are durable and visible. As text
/// "stream:epoch:seq" it is what `read_after` of a query takes.
struct Appended {
  StreamId stream = 0;
  std::uint32_t epoch = 0;
  std::uint64_t first_seq = 0, last_seq = 0;
};

/// Rows that another gateway numbered, for append_remote(). `rows.seq` may be empty if
/// rows() = to − from + 1; rows missing between were withheld by the sender.
struct RemoteBatch {
  StreamId stream = 0;  ///< From declare_remote().
  std::uint32_t epoch = 0;
  std::uint64_t from = 0, to = 0;
  Batch rows;
};

/// A part of a stream on its way out: rows, or a named loss.
struct OutboxItem {
  StreamId stream = 0;
  std::uint32_t epoch = 0;
  std::uint64_t from = 0, to = 0;  ///< Covered by this item.
  Batch rows;                      ///< In the schema version of the table; none if `gap`.
  std::optional<record::Gap> gap;
};

/// What a peer has not acknowledged.
struct Backlog {
  std::uint64_t rows = 0;
  std::int64_t oldest_ts = 0;  ///< Of the first such row still in memory; 0: unknown or none.
};

enum class Health : std::uint8_t { Good, Full /* out of space */, Failed /* restart */ };

/// The edge database's writing half: group-commit log, memtables, sealed segments, catalogue,
/// outbox. Reading with SQL stands on snapshot().
///
/// Flow:    device, stream, decision -> [Store] -> sync; hub -> [Store] -> query
/// Thread:  its shard; blocking work runs on `disk` (one thread, writes and syncs in order)
///          and on `compute` (seals, reads segments). Only values cross.
/// Owner:   app. Everything in Environment outlives it; close() before destruction.
/// Errors:  Exhausted: out of space or quota, retry later. Unavailable: the medium failed; the
///          store stays Failed until the process restarts. Stale: a schema older than the declared.
class Store {
 public:
  struct Environment {
    boost::asio::any_io_executor executor;  ///< Of the shard.
    runtime::Disk* disk = nullptr;
    Clock* clock = nullptr;
    runtime::Entropy* entropy = nullptr;
    runtime::Metrics* metrics = nullptr;
    runtime::Workers* disk_worker = nullptr;  ///< Exactly one thread.
    runtime::Workers* compute = nullptr;
    Sealer* sealer = nullptr;             ///< Null: .ieb files.
    std::vector<SegmentReader*> readers;  ///< For the outbox; .ieb needs none.
    /// Null: SQLite at `<dir>/catalogue.db`. Called on the disk worker.
    std::function<Result<std::unique_ptr<Catalogue>>(const std::string& dir)> catalogue;
  };
  struct Options {
    std::string dir;                                     ///< Absolute; created if absent.
    std::size_t memtable_bytes = std::size_t{32} << 20;  ///< `store.memtable`, all tables.
    std::size_t pending_bytes = std::size_t{8} << 20;    ///< Above it append() waits.
    std::uint64_t log_file_bytes = std::uint64_t{64} << 20;
    std::uint64_t log_bytes = std::uint64_t{64} << 20;  ///< Unsealed log; beyond, seal.
    std::size_t seal_rows = 1'000'000;
    Micros seal_age{std::chrono::hours{1}};
    Micros commit_delay{0};       ///< More only to spare flash.
    std::uint64_t max_bytes = 0;  ///< `store.max_bytes`; 0: half the file system.
  };

  /// Takes the directory for this process, recovers, and is ready to append.
  /// Errors: Exists (another process holds it: names its pid), Denied, Unavailable, Corrupt.
  static Task<Result<std::unique_ptr<Store>>> open(Environment environment, Options options);
  ~Store();
  /// Commits what is pending, writes Close, waits for seals. Appends fail with Cancelled.
  Task<void> close();

  const record::GatewayId& gateway() const;
  std::uint32_t epoch() const;
  Health health() const;
  /// Called once when the store becomes Failed: serve 503, exit 74 after 5 s.
  void on_failed(std::function<void(Error)> listener);

  // --- Streams ------------------------------------------------------------------------------

  /// Makes the stream named by `schema->stream` known, or evolves it: a new nullable field, a
  /// finer resolution, a wider range. Field ids come from the name: an unknown name gets the next
  /// id, so `schema` may leave ids 0. Idempotent. Errors: Invalid for a change of type or unit.
  Task<Result<StreamId>> declare(SchemaPtr schema, record::StreamPolicy policy);
  /// The same for a stream whose rows `origin` numbers.
  Task<Result<StreamId>> declare_remote(record::GatewayId origin, SchemaPtr schema,
                                        record::StreamPolicy policy);
  std::optional<StreamInfo> find(std::string_view name, const record::GatewayId& origin = {}) const;
  std::optional<StreamInfo> find(StreamId id) const;
  std::vector<StreamInfo> streams() const;

  // --- Writing ------------------------------------------------------------------------------

  /// Appends to the stream that `rows.schema` names. Completes when the rows are durable and
  /// visible. Cancelled by the caller, the rows may be there or not. Errors: NotFound
  /// (undeclared), Invalid (does not fit the schema).
  Task<Result<Appended>> append(Batch rows);
  /// Several streams, in one group and so all or none durable.
  Task<Result<std::vector<Appended>>> append_all(std::vector<Batch> batches);
  /// Drops what is covered already, stores the rest and the cover in one record. Returns all
  /// covered ranges of (stream, epoch), merged, ascending: the Ack.
  Task<Result<std::vector<Cover>>> append_remote(RemoteBatch batch);
  /// Rows of `gap` count as covered from now on (hub), or are named lost (node).
  Task<Result<void>> append_gap(record::Gap gap);
  std::vector<Cover> covered(StreamId stream, std::uint32_t epoch) const;
  /// The hub covers more than we have: rows get a new epoch, the old one ends with a Gap.
  Task<Result<void>> raise_epoch(std::string reason);

  // --- Outbox -------------------------------------------------------------------------------

  /// What follows (epoch, after) in order, gaps included, until one of the limits; from
  /// segments, then memory. Empty: nothing new. At least one row, whatever `max_bytes`.
  Task<Result<std::vector<OutboxItem>>> read_outbox(StreamId stream, std::uint32_t epoch,
                                                    std::uint64_t after, std::size_t max_rows,
                                                    std::size_t max_bytes);
  Cursor cursor(std::string_view peer, StreamId stream) const;
  /// Remembered at once, durable within a second; never goes back, whatever the order of calls.
  void advance_cursor(const Cursor& cursor);
  Backlog backlog(std::string_view peer, StreamId stream) const;
  /// Calls `listener(stream, last_seq)` on the shard when rows have become durable and visible.
  /// The token ends the subscription when it is destroyed.
  using Subscription = std::shared_ptr<const void>;
  [[nodiscard]] Subscription on_durable(std::function<void(StreamId, std::uint64_t)> listener);

  // --- Reading and sealing ------------------------------------------------------------------

  /// All that is durable now. Cheap when nothing changed since the last call.
  SnapshotPtr snapshot();
  /// Seals a table now, or all (0). Completes when the segments are durable.
  Task<Result<void>> seal(TableId table = 0);
  /// Replaces segments by one file with exactly their rows, already complete at
  /// `<dir>/seg/.tmp/<name>`: compaction, resealing of .ieb. `shape` gives table, rows, times,
  /// ranges; id, file, bytes and sha256 are filled in.
  Task<Result<SegmentPtr>> replace_segments(std::vector<SegmentPtr> old, std::string temporary,
                                            Segment shape);
  /// Forgets segments and unlinks their files once no snapshot holds them. Rows that a peer has
  /// not acknowledged must be named in `gaps`, recorded in the same transaction.
  Task<Result<void>> drop_segments(std::vector<SegmentPtr> segments, std::vector<record::Gap> gaps);

  /// Bytes that the directory holds in log and segments, and what Options::max_bytes came to.
  struct Usage {
    std::uint64_t log = 0, segments = 0, memory = 0, limit = 0;
  };
  Usage usage() const;
  /// Step 5 of the quota: lanes from `lane` on are refused with Exhausted; nothing: none.
  void refuse(std::optional<record::Lane> lane);

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace infiniedge::store
