// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/scope.hpp"
#include "store/ieb.hpp"
#include "store/log.hpp"
#include "store/store.hpp"
#include "store/store_state.hpp"

namespace infiniedge::store {

/// Wakes coroutines of one shard that wait for a condition; they look again each time.
class Signal {
 public:
  explicit Signal(boost::asio::any_io_executor executor)
      : timer_(std::move(executor), boost::asio::steady_timer::time_point::max()) {}
  Task<void> wait();
  void notify() { timer_.cancel(); }

 private:
  boost::asio::steady_timer timer_;
};

/// What one caller wants committed together, and how that went.
struct Entry {
  struct Rows {
    StreamId stream = 0;
    Batch rows;
    std::string block;
  };
  explicit Entry(const boost::asio::any_io_executor& executor) : done(executor) {}

  std::vector<Rows> rows;
  std::optional<RemoteBatch> remote;
  std::vector<LogRecord> others;  ///< Definitions, gaps.
  std::function<void()> apply;    ///< When durable, before the caller wakes.
  std::uint32_t new_epoch = 0;    ///< Not 0: alone in its group.
  std::size_t bytes = 0;          ///< In the log, roughly.

  std::vector<Appended> appended;  ///< One each of `rows`.
  std::optional<Result<void>> result;
  Signal done;
};
using EntryPtr = std::shared_ptr<Entry>;

/// The inside of Store: see there for flow and threads. Its methods stand in store.cpp (doors),
/// store_open.cpp, store_commit.cpp, store_outbox.cpp and store_seal.cpp.
class Store::Impl {
 public:
  Impl(Environment environment, Options options);

  // store_open.cpp
  Task<Result<void>> open();
  Task<void> close();

  // store.cpp
  Task<Result<StreamId>> declare(record::GatewayId origin, SchemaPtr schema,
                                 record::StreamPolicy policy);
  SnapshotPtr snapshot();
  Usage usage() const;

  // store_commit.cpp
  Task<Result<std::vector<Appended>>> append(std::vector<Batch> batches, bool together);
  Task<Result<std::vector<Cover>>> append_remote(RemoteBatch batch);
  Task<Result<void>> append_gap(record::Gap gap);
  Task<Result<void>> raise_epoch(std::string reason);
  std::vector<Cover> covered(StreamId stream, std::uint32_t epoch) const;

  // store_outbox.cpp
  Task<Result<std::vector<OutboxItem>>> read_outbox(StreamId id, std::uint32_t epoch,
                                                    std::uint64_t after, std::size_t max_rows,
                                                    std::size_t max_bytes);
  Backlog backlog(std::string_view peer, StreamId id) const;

  // store_seal.cpp
  Task<Result<void>> seal(TableId table);
  Task<Result<SegmentPtr>> replace_segments(std::vector<SegmentPtr> old, std::string temporary,
                                            Segment shape);
  Task<Result<void>> drop_segments(std::vector<SegmentPtr> segments, std::vector<record::Gap> gaps);

  Environment env;
  Options options;
  StoreState state;
  record::GatewayId gateway{};
  std::uint32_t epoch = 1;
  Health health = Health::Good;
  std::optional<record::Lane> refused;
  std::function<void(Error)> failed_listener;
  std::list<std::function<void(StreamId, std::uint64_t)>> listeners;
  std::shared_ptr<const void> alive = std::make_shared<int>();

 private:
  /// A place in the log's group for rows of an entry.
  struct Placed {
    EntryPtr entry;
    std::size_t rows = 0;    ///< Index in entry->rows.
    std::size_t record = 0;  ///< Index in the group's records.
  };
  /// A part of a remote batch that was not covered yet.
  struct Remote {
    StreamId stream = 0;
    std::uint32_t epoch = 0;
    std::uint64_t from = 0, to = 0;
    Batch rows;
    std::size_t record = 0;
  };
  struct Group {
    std::vector<LogRecord> records;
    std::vector<EntryPtr> entries;
    std::vector<Placed> placed;
    std::vector<Remote> remote;
    std::vector<std::uint32_t> devices;  ///< Defined in it.
    std::map<StreamId, std::uint64_t> last_seq;
    std::map<std::pair<StreamId, std::uint32_t>, RangeSet> covers;
    std::uint64_t bytes = 0;
    std::uint32_t new_epoch = 0;
  };
  /// What the disk worker answers.
  struct Committed {
    std::uint64_t durable_lsn = 0;
    std::uint64_t log_bytes = 0;
    bool wants_spare = false;
  };

  // store_open.cpp: on the disk worker
  Result<void> recover();
  Result<void> open_catalogue_and_identity();
  Result<void> reconcile_segments();
  Result<void> open_log();
  std::string path(std::string_view below) const { return options.dir + "/" + std::string(below); }
  Task<void> tick();
  Task<void> tick_once();

  // store_commit.cpp
  Result<void> accepts(record::Lane lane) const;
  Result<std::vector<Entry::Rows>> encode(Batch batch);
  Result<void> encode_into(std::vector<Entry::Rows>& out, StreamId stream, Batch batch);
  Result<std::vector<EntryPtr>> make_entries(std::vector<Batch> batches, bool together,
                                             std::vector<std::size_t>& first_block);
  Result<RemoteBatch> prepare_remote(const Stream& stream, RemoteBatch batch) const;
  Task<Result<void>> wait_for_room();
  void enqueue(const EntryPtr& entry);
  Task<Result<void>> finished(EntryPtr entry);
  Task<Result<void>> commit(EntryPtr entry);
  Task<void> commit_loop();
  Task<void> prepare_spare();
  Group take_group();
  bool add_device_records(Group& group);
  void add_entry(Group& group, const EntryPtr& entry);
  void add_remote(Group& group, const EntryPtr& entry);
  void publish(Group& group, const Result<Committed>& committed);
  std::set<StreamId> show(Group& group);
  void fail(const Error& error);
  Table& table_of(const Stream& stream, const Schema& schema);
  bool has_room() const;

  // store_outbox.cpp
  struct Source;
  std::optional<Source> next_source(const Stream& stream, std::uint32_t at_epoch,
                                    std::uint64_t from) const;
  Task<Result<Batch>> read_segment(Source source, std::size_t max_rows);

  // store_seal.cpp
  void maybe_seal();
  TableId due_table() const;
  Task<void> seal_due(TableId id);
  Task<Result<void>> seal_one(TableId id);
  SealJob make_job(const Table& table) const;
  Task<Result<void>> apply(CatalogueChange change);
  Task<void> release_log(std::uint64_t lsn);
  void doom(const std::vector<SegmentPtr>& segments);
  Task<void> unlink_doomed();

  std::shared_ptr<const void> lock_;
  std::unique_ptr<Catalogue> catalogue_;  ///< Disk worker only.
  std::unique_ptr<Log> log_;              ///< Disk worker only.
  LogOpened opened_;
  std::vector<record::Gap> found_gaps_;
  std::set<std::uint32_t> unlogged_devices_;
  std::set<std::pair<record::GatewayId, std::string>> declaring_;

  std::deque<EntryPtr> pending_;
  std::size_t pending_bytes_ = 0;
  bool committing_ = false, closing_ = false, closed_ = false, sealing_ = false;
  bool preparing_ = false;
  std::uint64_t published_ = 0;  ///< LSN below which every row is in `state`.
  std::uint64_t log_bytes_ = 0;
  std::uint64_t max_bytes_ = 0;
  Instant last_commit_{}, retry_seal_{}, retry_spare_{};
  SnapshotPtr snapshot_;
  std::uint64_t snapshot_version_ = 0;
  std::vector<SegmentPtr> doomed_;
  IebSealer ieb_sealer_;
  IebReader ieb_reader_;

  Signal changed_;  ///< Room, seals, declarations, commits: whoever waits looks again.
  runtime::Counter& rows_total_;
  runtime::Counter& gaps_total_;
  runtime::Counter& failures_total_;
  runtime::Histogram& commit_seconds_;
  runtime::Gauge& memory_gauge_;
  runtime::Gauge& log_gauge_;
  runtime::Scope scope_;
};

}  // namespace infiniedge::store
