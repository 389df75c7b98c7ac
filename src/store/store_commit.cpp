// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>

#include "base/check.hpp"
#include "record/block.hpp"
#include "record/evolve.hpp"
#include "record/schema_codec.hpp"
#include "record/value.hpp"
#include "runtime/log.hpp"
#include "store/hub_batch.hpp"
#include "store/store_impl.hpp"

namespace infiniedge::store {
namespace {

using runtime::Level;

constexpr std::uint64_t kGroupBytes = kMaxGroup - kLogPage;
constexpr Micros kRetrySpare{Seconds{10}};
/// Headers of the record, the hub batch, the block and its own columns.
constexpr std::size_t kRemoteOverhead = 512;

/// What a caller is told when its group did not become durable.
Error not_stored(const std::string& dir, Error cause) {
  switch (cause.code()) {
    case Code::Exhausted:
      return {Code::Exhausted,
              fmt::format("the disk that holds {} is full, so the rows are not stored; free space "
                          "there or lower store.max_bytes, then send them again",
                          dir),
              std::move(cause)};
    case Code::Unavailable:
      return {Code::Unavailable,
              fmt::format("the medium that holds {} failed, so the rows are not stored; check it "
                          "and restart the process",
                          dir),
              std::move(cause)};
    default:
      return cause;
  }
}

/// The rows numbered from `from` to `to`.
Batch rows_between(const Batch& rows, std::uint64_t from, std::uint64_t to) {
  const auto begin = std::lower_bound(rows.seq.begin(), rows.seq.end(), from);
  const auto end = std::upper_bound(begin, rows.seq.end(), to);
  return record::slice(rows, static_cast<std::size_t>(begin - rows.seq.begin()),
                       static_cast<std::size_t>(end - begin));
}

}  // namespace

Task<void> Signal::wait() {
  boost::system::error_code ignored;
  co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
}

bool Store::Impl::has_room() const {
  return pending_bytes_ <= options.pending_bytes &&
         state.memory_bytes() <= 2 * options.memtable_bytes;
}

Result<void> Store::Impl::accepts(record::Lane lane) const {
  if (closing_) return Error{Code::Cancelled, "the store is closing"};
  if (health == Health::Failed) {
    return not_stored(options.dir, {Code::Unavailable, "an earlier write or sync failed"});
  }
  if (refused && lane >= *refused) {
    return Error{Code::Exhausted, fmt::format("the store is at its quota and refuses lane {}; "
                                              "raise store.max_bytes or shorten keep",
                                              to_string(lane))};
  }
  return {};
}

/// Blocks of a batch, as the stream's newest schema has it.
Result<std::vector<Entry::Rows>> Store::Impl::encode(Batch batch) {
  INFINIEDGE_TRY(record::check(batch));
  const Stream* stream = state.find(record::GatewayId{}, batch.schema->stream);
  if (stream == nullptr) {
    return Error{Code::NotFound, fmt::format("stream {} is not declared", batch.schema->stream)};
  }
  INFINIEDGE_TRY(accepts(stream->info.policy.lane));
  auto adapted = record::adapt(std::move(batch), stream->info.schema);
  if (!adapted) return std::move(adapted).error();
  adapted->seq.clear();
  std::vector<Entry::Rows> out;
  const std::size_t most = record::max_block_rows(*stream->info.schema);
  if (adapted->rows() <= most) {
    INFINIEDGE_TRY(encode_into(out, stream->info.id, std::move(*adapted)));
    return out;
  }
  for (std::size_t begin = 0; begin < adapted->rows(); begin += most) {
    const std::size_t count = std::min(most, adapted->rows() - begin);
    INFINIEDGE_TRY(encode_into(out, stream->info.id, record::slice(*adapted, begin, count)));
  }
  return out;
}

/// One block, or halves of it where its text is too much for one record.
Result<void> Store::Impl::encode_into(std::vector<Entry::Rows>& out, StreamId stream, Batch batch) {
  auto block = record::encode_block(batch, state.devices);
  const bool fits = block && record_size(block->size()) <= kGroupBytes;
  if (fits) {
    out.push_back({stream, std::move(batch), std::move(*block)});
    return {};
  }
  if (batch.rows() < 2) {
    if (!block) return std::move(block).error();
    return Error{Code::Invalid, fmt::format("a row of stream {} has over 4 MB; store a reference "
                                            "instead",
                                            batch.schema->stream)};
  }
  const std::size_t half = batch.rows() / 2;
  INFINIEDGE_TRY(encode_into(out, stream, record::slice(batch, 0, half)));
  return encode_into(out, stream, record::slice(batch, half, batch.rows() - half));
}

/// Entries for the blocks of `batches`, and where each batch's blocks begin.
Result<std::vector<EntryPtr>> Store::Impl::make_entries(std::vector<Batch> batches, bool together,
                                                        std::vector<std::size_t>& first_block) {
  std::vector<EntryPtr> entries;
  std::size_t blocks = 0;
  for (Batch& batch : batches) {
    first_block.push_back(blocks);
    if (batch.rows() == 0) continue;
    auto encoded = encode(std::move(batch));
    if (!encoded) return std::move(encoded).error();
    blocks += encoded->size();
    for (Entry::Rows& rows : *encoded) {
      const std::size_t bytes = record_size(rows.block.size());
      if (entries.empty() || entries.back()->bytes + bytes > kGroupBytes) {
        if (together && !entries.empty()) {
          return Error{Code::Invalid, "batches to be stored together exceed 4 MB; send fewer"};
        }
        entries.push_back(std::make_shared<Entry>(env.executor));
      }
      entries.back()->bytes += bytes;
      entries.back()->rows.push_back(std::move(rows));
    }
  }
  first_block.push_back(blocks);
  return entries;
}

Task<Result<void>> Store::Impl::wait_for_room() {
  while (!has_room() && !closing_ && health == Health::Good) co_await changed_.wait();
  if (!has_room() && health == Health::Full) {
    co_return not_stored(options.dir, {Code::Exhausted, "and so is the store's memory"});
  }
  co_return Result<void>{};
}

Task<Result<std::vector<Appended>>> Store::Impl::append(std::vector<Batch> batches, bool together) {
  INFINIEDGE_CO_TRY(co_await wait_for_room());
  std::vector<Appended> out(batches.size());
  std::vector<std::size_t> first_block;
  auto entries = make_entries(std::move(batches), together, first_block);
  if (!entries) co_return std::move(entries).error();
  // All are queued before the first is awaited: nothing comes between them.
  for (const EntryPtr& entry : *entries) enqueue(entry);
  std::vector<Appended> blocks;
  for (const EntryPtr& entry : *entries) {
    INFINIEDGE_CO_TRY(co_await finished(entry));
    blocks.insert(blocks.end(), entry->appended.begin(), entry->appended.end());
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (first_block[i] == first_block[i + 1]) continue;
    out[i] = blocks[first_block[i]];
    out[i].last_seq = blocks[first_block[i + 1] - 1].last_seq;
  }
  co_return out;
}

Task<Result<std::vector<Cover>>> Store::Impl::append_remote(RemoteBatch batch) {
  INFINIEDGE_CO_TRY(co_await wait_for_room());
  const Stream* stream = state.find(batch.stream);
  if (stream == nullptr || !stream->remote()) {
    co_return Error{Code::NotFound, fmt::format("stream {} is not a remote one", batch.stream)};
  }
  INFINIEDGE_CO_TRY(accepts(stream->info.policy.lane));
  auto prepared = prepare_remote(*stream, std::move(batch));
  if (!prepared) co_return std::move(prepared).error();
  const StreamId id = prepared->stream;
  const std::uint32_t batch_epoch = prepared->epoch;
  auto entry = std::make_shared<Entry>(env.executor);
  for (const std::string& device : prepared->rows.devices) state.devices.id_of(device);
  // Encoded rows are never larger than this.
  entry->bytes = kRemoteOverhead + record::memory_bytes(prepared->rows);
  entry->remote = std::move(*prepared);
  INFINIEDGE_CO_TRY(co_await commit(entry));
  co_return covered(id, batch_epoch);
}

/// Checks numbers and shape of rows that came from outside; fills in what may be left out.
Result<RemoteBatch> Store::Impl::prepare_remote(const Stream& stream, RemoteBatch batch) const {
  const std::string& name = stream.info.schema->stream;
  if (batch.from == 0 || batch.to < batch.from || batch.to >= kMaxSeq || batch.epoch == 0) {
    return Error{Code::Invalid, fmt::format("stream {}: impossible range {} to {} of epoch {}",
                                            name, batch.from, batch.to, batch.epoch)};
  }
  Batch& rows = batch.rows;
  if (!rows.schema) rows = record::make_batch(stream.info.schema);
  INFINIEDGE_TRY(record::check(rows));
  if (rows.seq.empty()) {
    if (rows.rows() != batch.to - batch.from + 1 && rows.rows() != 0) {
      return Error{Code::Invalid, fmt::format("stream {}: {} rows without _seq for {} to {}", name,
                                              rows.rows(), batch.from, batch.to)};
    }
    for (std::size_t i = 0; i < rows.rows(); ++i) rows.seq.push_back(batch.from + i);
  }
  const bool ascending = std::adjacent_find(rows.seq.begin(), rows.seq.end(),
                                            std::greater_equal<>{}) == rows.seq.end();
  if (!ascending ||
      (!rows.seq.empty() && (rows.seq.front() < batch.from || rows.seq.back() > batch.to))) {
    return Error{Code::Invalid,
                 fmt::format("stream {}: _seq leaves {} to {}", name, batch.from, batch.to)};
  }
  const std::size_t most = record::max_block_rows(*stream.info.schema);
  if (rows.rows() > most || record::memory_bytes(rows) > kGroupBytes - kRemoteOverhead) {
    return Error{Code::Invalid, fmt::format("stream {}: {} rows in one batch are too many; at "
                                            "most {} or 4 MB",
                                            name, rows.rows(), most)};
  }
  auto adapted = record::adapt(std::move(rows), stream.info.schema);
  if (!adapted) return std::move(adapted).error();
  batch.rows = std::move(*adapted);
  return batch;
}

Task<Result<void>> Store::Impl::append_gap(record::Gap gap) {
  if (state.find(gap.stream) == nullptr) {
    co_return Error{Code::NotFound, fmt::format("stream {} is not declared", gap.stream)};
  }
  if (gap.from_seq == 0 || gap.to_seq < gap.from_seq || gap.to_seq >= kMaxSeq) {
    co_return Error{Code::Invalid, "a gap needs a range of sequence numbers"};
  }
  auto entry = std::make_shared<Entry>(env.executor);
  entry->others.push_back({.type = RecordType::Gap,
                           .stream_id = gap.stream,
                           .first_seq = gap.from_seq,
                           .payload = record::encode_gap(gap)});
  entry->bytes = record_size(entry->others.front().payload.size());
  entry->apply = [this, gap] {
    state.add_gap(gap);
    gaps_total_.add();
  };
  co_return co_await commit(std::move(entry));
}

Task<Result<void>> Store::Impl::raise_epoch(std::string reason) {
  auto entry = std::make_shared<Entry>(env.executor);
  entry->new_epoch = epoch + 1;
  runtime::log(Level::Error, "store", "rows get a new epoch",
               {{"epoch", std::to_string(entry->new_epoch)}, {"reason", reason}});
  co_return co_await commit(std::move(entry));
}

std::vector<Cover> Store::Impl::covered(StreamId id, std::uint32_t at_epoch) const {
  std::vector<Cover> out;
  const Stream* stream = state.find(id);
  if (stream == nullptr) return out;
  const auto covers = stream->covers.find(at_epoch);
  if (covers == stream->covers.end()) return out;
  for (const auto& range : covers->second.ranges()) {
    out.push_back({id, at_epoch, range.from, range.to});
  }
  return out;
}

void Store::Impl::enqueue(const EntryPtr& entry) {
  pending_.push_back(entry);
  pending_bytes_ += entry->bytes;
  if (committing_) return;
  committing_ = true;
  scope_.spawn(commit_loop());
}

Task<Result<void>> Store::Impl::finished(EntryPtr entry) {
  while (!entry->result) co_await entry->done.wait();
  co_return *entry->result;
}

Task<Result<void>> Store::Impl::commit(EntryPtr entry) {
  if (closing_) co_return Error{Code::Cancelled, "the store is closing"};
  enqueue(entry);
  co_return co_await finished(std::move(entry));
}

/// While one group syncs, the next gathers; only one is ever in flight.
Task<void> Store::Impl::commit_loop() {
  while (!pending_.empty()) {
    if (options.commit_delay > Micros{0} && !closing_) {
      static_cast<void>(co_await env.clock->sleep_for(options.commit_delay));
    }
    Group group = take_group();
    if (group.records.empty() && group.new_epoch == 0) {
      publish(group, Committed{published_, log_bytes_, false});
      continue;
    }
    const Instant start = env.clock->now();
    auto job = [this, &group]() -> Result<Committed> {
      if (group.new_epoch != 0) {
        INFINIEDGE_TRY(catalogue_->apply({.epoch = group.new_epoch}));
        log_->start_epoch(group.new_epoch);
      } else {
        INFINIEDGE_TRY(log_->commit(group.records));
      }
      return Committed{log_->durable_lsn(), log_->bytes(), log_->wants_spare()};
    };
    auto committed = co_await runtime::run_on(*env.disk_worker, job);
    if (!committed) committed = not_stored(options.dir, std::move(committed).error());
    last_commit_ = env.clock->now();
    commit_seconds_.observe(std::chrono::duration<double>(last_commit_ - start).count());
    publish(group, committed);
    if (committed && committed->wants_spare && !preparing_ && !closing_ &&
        env.clock->now() >= retry_spare_) {
      preparing_ = true;
      scope_.spawn(prepare_spare());
    }
  }
  committing_ = false;
  changed_.notify();
}

/// Fills the file that the log will need next, in steps beside the commits.
Task<void> Store::Impl::prepare_spare() {
  SpareFile spare(*env.disk, path("log"), options.log_file_bytes);
  Result<bool> finished = false;
  while (finished && !*finished && !closing_) {
    finished = co_await runtime::run_on(*env.compute, [&spare] { return spare.step(); });
  }
  if (finished && *finished) {
    auto add = [this, &spare]() -> Result<void> {
      log_->add_spare(spare);
      return {};
    };
    static_cast<void>(co_await runtime::run_on(*env.disk_worker, add));
  } else if (!finished) {
    retry_spare_ = env.clock->now() + kRetrySpare;
    runtime::log(Level::Warning, "store", "no log file could be prepared; the next will be short",
                 {{"error", finished.error().describe()}});
  }
  preparing_ = false;
  changed_.notify();
}

Store::Impl::Group Store::Impl::take_group() {
  Group group;
  // Names were numbered when their rows were queued; all of them must be defined ahead.
  if (!add_device_records(group)) return group;
  while (!pending_.empty()) {
    const EntryPtr entry = pending_.front();
    const bool alone = entry->new_epoch != 0;
    const bool empty = group.records.empty();
    if (alone && !empty) break;
    if (!empty && group.bytes + entry->bytes > kGroupBytes) break;
    add_entry(group, entry);
    pending_bytes_ -= entry->bytes;
    pending_.pop_front();
    if (alone) break;
  }
  return group;
}

/// Devices that a block of this or a later group names, but no durable record defines yet.
/// False: there are more than one group should take.
bool Store::Impl::add_device_records(Group& group) {
  for (const std::uint32_t id : unlogged_devices_) {
    const std::string name(*state.devices.name_of(id));
    LogRecord record{.type = RecordType::Define,
                     .payload = record::encode_definition(record::DeviceDefinition{id, name}),
                     .define_key = fmt::format("device {}", id)};
    group.bytes += record_size(record.payload.size());
    if (group.bytes > kGroupBytes / 2) return false;
    group.records.push_back(std::move(record));
    group.devices.push_back(id);
  }
  return true;
}

void Store::Impl::add_entry(Group& group, const EntryPtr& entry) {
  group.entries.push_back(entry);
  group.bytes += entry->bytes;
  group.new_epoch = entry->new_epoch;
  for (LogRecord& record : entry->others) group.records.push_back(std::move(record));
  if (entry->remote) return add_remote(group, entry);
  for (std::size_t i = 0; i < entry->rows.size(); ++i) {
    Entry::Rows& rows = entry->rows[i];
    const StreamInfo& info = state.find(rows.stream)->info;
    const std::uint64_t last = info.epoch == epoch ? info.last_seq : 0;
    // Numbers are given here, and kept only if the group becomes durable.
    std::uint64_t& counted = group.last_seq.try_emplace(rows.stream, last).first->second;
    const std::size_t count = rows.rows.rows();
    for (std::size_t row = 1; row <= count; ++row) rows.rows.seq.push_back(counted + row);
    entry->appended.push_back({rows.stream, epoch, counted + 1, counted + count});
    group.placed.push_back({entry, i, group.records.size()});
    group.records.push_back({.type = RecordType::Batch,
                             .stream_id = rows.stream,
                             .label_id = static_cast<std::uint16_t>(info.policy.label),
                             .first_seq = counted + 1,
                             .payload = std::move(rows.block)});
    counted += count;
  }
}

/// Drops what is covered, by durable records or by this group. Each part that is left becomes a
/// record that covers just the rows it holds: damage to one must not leave rows of it covered.
void Store::Impl::add_remote(Group& group, const EntryPtr& entry) {
  const RemoteBatch& batch = *entry->remote;
  const Stream& stream = *state.find(batch.stream);
  auto [found, added] = group.covers.try_emplace({batch.stream, batch.epoch});
  RangeSet& covers = found->second;
  if (added) {
    const auto known = stream.covers.find(batch.epoch);
    if (known != stream.covers.end()) covers = known->second;
  }
  for (const RangeSet::Range& part : covers.missing(batch.from, batch.to)) {
    Batch rows = rows_between(batch.rows, part.from, part.to);
    std::string block;
    if (rows.rows() > 0) {
      auto encoded = record::encode_block(rows, state.devices, true);
      if (!encoded) {
        entry->result = std::move(encoded).error();
        return;
      }
      block = std::move(*encoded);
    }
    group.remote.push_back(
        {batch.stream, batch.epoch, part.from, part.to, std::move(rows), group.records.size()});
    group.records.push_back({.type = RecordType::HubBatch,
                             .stream_id = batch.stream,
                             .label_id = static_cast<std::uint16_t>(stream.info.policy.label),
                             .first_seq = part.from,
                             .payload = encode_hub_batch({.gateway = stream.info.origin,
                                                          .epoch = batch.epoch,
                                                          .from = part.from,
                                                          .to = part.to,
                                                          .block = base::as_bytes(block)})});
  }
  covers.add(batch.from, batch.to);
}

void Store::Impl::publish(Group& group, const Result<Committed>& committed) {
  std::set<StreamId> shown;
  if (committed) {
    if (group.new_epoch != 0) epoch = group.new_epoch;
    for (const std::uint32_t id : group.devices) {
      unlogged_devices_.erase(id);
      state.note_device(id);
    }
    published_ = committed->durable_lsn;
    log_bytes_ = committed->log_bytes;
    if (health == Health::Full) health = Health::Good;
    shown = show(group);
  } else {
    failures_total_.add();
    const Error& error = committed.error();
    if (error.code() == Code::Exhausted) health = Health::Full;
    if (error.code() == Code::Unavailable) fail(error);
  }
  for (const EntryPtr& entry : group.entries) {
    if (committed && entry->apply) entry->apply();
    if (!entry->result)
      entry->result = committed ? Result<void>{} : Result<void>{committed.error()};
    entry->done.notify();
  }
  changed_.notify();
  for (const StreamId id : shown) {
    const std::uint64_t last = state.find(id)->info.last_seq;
    for (const auto& listener : std::list(listeners)) listener(id, last);
  }
  maybe_seal();
}

/// Makes the rows of a durable group visible. Returns their streams.
std::set<StreamId> Store::Impl::show(Group& group) {
  std::set<StreamId> shown;
  const Timestamp now = env.clock->wall();
  for (const Remote& part : group.remote) {
    Stream& stream = *state.find(part.stream);
    StoreState::cover(stream, part.epoch, part.from, part.to, group.records[part.record].lsn);
    state.add_rows(stream, table_of(stream, *part.rows.schema), part.epoch, part.rows,
                   group.records[part.record].lsn, now);
    rows_total_.add(part.rows.rows());
    shown.insert(part.stream);
  }
  for (const Placed& placed : group.placed) {
    const LogRecord& record = group.records[placed.record];
    Entry::Rows& rows = placed.entry->rows[placed.rows];
    Stream& stream = *state.find(rows.stream);
    state.add_rows(stream, table_of(stream, *rows.rows.schema), epoch, rows.rows, record.lsn, now);
    rows_total_.add(rows.rows.rows());
    shown.insert(rows.stream);
    rows.rows = {};
  }
  return shown;
}

/// Where rows of `schema` go: as recovery would decide at this place in the log.
Table& Store::Impl::table_of(const Stream& stream, const Schema& schema) {
  if (stream.info.schema.get() == &schema) return state.tables.at(stream.info.table);
  return state.table_for(schema, stream.info.policy);
}

void Store::Impl::fail(const Error& error) {
  if (health == Health::Failed) return;
  health = Health::Failed;
  runtime::log(Level::Error, "store", "the medium failed: nothing can be stored until a restart",
               {{"error", error.describe()}});
  changed_.notify();
  if (failed_listener) failed_listener(error);
}

}  // namespace infiniedge::store
