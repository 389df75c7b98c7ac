// SPDX-License-Identifier: Apache-2.0
#include "store/store_state.hpp"

#include <algorithm>
#include <tuple>

namespace infiniedge::store {
namespace {

bool before(const record::Gap& a, const record::Gap& b) {
  return std::tuple(a.epoch, a.from_seq, a.to_seq) < std::tuple(b.epoch, b.from_seq, b.to_seq);
}

}  // namespace

void StoreState::load(CatalogueState state) {
  for (TableInfo& info : state.tables) {
    Table& table = tables[info.id];
    table.sealed_lsn = state.sealed_lsn[info.id];
    table.active = std::make_unique<Memtable>(info);
    table.info = std::move(info);
  }
  for (StreamInfo& info : state.streams) {
    by_name_[{info.origin, info.schema->stream}] = info.id;
    Stream& stream = streams[info.id];
    stream.versions[info.schema->version] = info.schema;
    stream.info = std::move(info);
  }
  for (auto& [id, schema] : state.schemas) {
    if (Stream* stream = find(id)) stream->versions.try_emplace(schema->version, schema);
  }
  for (const auto& [id, name] : state.devices) devices.restore(id, name);
  for (SegmentPtr& segment : state.segments) {
    for (const SegmentRange& range : segment->ranges) {
      if (Stream* stream = find(range.stream)) advance(*stream, range.epoch, range.to);
    }
    if (const auto table = tables.find(segment->table); table != tables.end()) {
      table->second.segments.push_back(std::move(segment));
    }
  }
  for (record::Gap& gap : state.gaps) add_gap(std::move(gap));
  for (Cursor& cursor : state.cursors) cursors_[{cursor.peer, cursor.stream}] = cursor;
  for (const Cover& range : state.covers) {
    if (Stream* stream = find(range.stream)) {
      stream->covers[range.epoch].add(range.from, range.to);
      stream->stored_covers[range.epoch].add(range.from, range.to);
    }
  }
  take_dirty(0);  // It came from the catalogue.
}

Stream* StoreState::find(StreamId id) {
  const auto found = streams.find(id);
  return found == streams.end() ? nullptr : &found->second;
}

const Stream* StoreState::find(StreamId id) const {
  const auto found = streams.find(id);
  return found == streams.end() ? nullptr : &found->second;
}

const Stream* StoreState::find(const record::GatewayId& origin, std::string_view name) const {
  const auto found = by_name_.find(StreamKey{origin, std::string(name)});
  return found == by_name_.end() ? nullptr : find(found->second);
}

StreamId StoreState::new_stream_id() {
  if (!streams.empty()) last_id_ = std::max(last_id_, streams.rbegin()->first);
  return ++last_id_;
}

void StoreState::use_newest_schemas() {
  for (auto& [id, stream] : streams) {
    const SchemaPtr& newest = stream.versions.rbegin()->second;
    if (stream.info.schema->version == newest->version) continue;
    stream.info.schema = newest;
    stream.info.table = table_for(*newest, stream.info.policy).info.id;
  }
}

Stream& StoreState::define(const record::StreamDefinition& definition) {
  Stream& stream = streams[definition.id];
  auto& schema = stream.versions[definition.schema.version];
  if (!schema || *schema != definition.schema) {
    schema = std::make_shared<const Schema>(definition.schema);
  }
  stream.info.id = definition.id;
  stream.info.origin = definition.origin;
  stream.info.schema = schema;
  stream.info.policy = definition.policy;
  stream.info.table = table_for(*schema, definition.policy).info.id;
  by_name_[{definition.origin, schema->stream}] = definition.id;
  dirty_definitions_ = true;
  dirty_streams_.insert(definition.id);
  ++version;
  return stream;
}

Table& StoreState::table_for(const Schema& schema, const record::StreamPolicy& policy) {
  for (auto& [id, table] : tables) {
    if (table.info.label == policy.label && table.info.lane == policy.lane &&
        table.info.keep == policy.keep && table.info.schema->fields == schema.fields) {
      return table;
    }
  }
  const TableId id = tables.empty() ? 1 : tables.rbegin()->first + 1;
  Table& table = tables[id];
  table.info = {.id = id,
                .schema = std::make_shared<const Schema>(Schema{
                    .stream = "", .version = 1, .label = policy.label, .fields = schema.fields}),
                .label = policy.label,
                .lane = policy.lane,
                .keep = policy.keep};
  table.active = std::make_unique<Memtable>(table.info);
  dirty_tables_.insert(id);
  return table;
}

void StoreState::add_rows(Stream& stream, Table& table, std::uint32_t epoch, const Batch& rows,
                          std::uint64_t lsn, Timestamp now) {
  if (rows.rows() == 0) return;
  table.active->append(stream.info.id, epoch, rows, lsn, now);
  advance(stream, epoch, rows.seq.back());
}

void StoreState::advance(Stream& stream, std::uint32_t epoch, std::uint64_t seq) {
  StreamInfo& info = stream.info;
  if (std::pair(epoch, seq) <= std::pair(info.epoch, info.last_seq)) return;
  info.epoch = epoch;
  info.last_seq = seq;
  dirty_streams_.insert(info.id);
  ++version;
}

void StoreState::cover(Stream& stream, std::uint32_t epoch, std::uint64_t from, std::uint64_t to,
                       std::uint64_t lsn) {
  stream.covers[epoch].add(from, to);
  stream.fresh_covers.push_back({lsn, epoch, from, to});
}

void StoreState::add_gap(record::Gap gap) {
  auto& list = gaps[gap.stream];
  const auto at = std::lower_bound(list.begin(), list.end(), gap, before);
  if (at != list.end() && *at == gap) return;
  if (Stream* stream = find(gap.stream)) {
    // Numbers that are named lost are never given again.
    advance(*stream, gap.epoch, gap.to_seq);
    if (stream->remote()) stream->covers[gap.epoch].add(gap.from_seq, gap.to_seq);
  }
  dirty_gaps_.push_back(gap);
  list.insert(at, std::move(gap));
  ++version;
}

void StoreState::add_device(std::uint32_t id, std::string_view name) {
  if (devices.name_of(id) == name) return;
  devices.restore(id, name);
  dirty_devices_.emplace_back(id, name);
}

void StoreState::note_device(std::uint32_t id) {
  dirty_definitions_ = true;
  if (const auto name = devices.name_of(id)) dirty_devices_.emplace_back(id, *name);
}

bool StoreState::advance_cursor(const Cursor& cursor) {
  const std::pair key(cursor.peer, cursor.stream);
  Cursor& known = cursors_[key];
  if (std::pair(cursor.epoch, cursor.hwm) <= std::pair(known.epoch, known.hwm)) return false;
  known = cursor;
  dirty_cursors_.insert(key);
  return true;
}

Cursor StoreState::cursor(std::string_view peer, StreamId stream) const {
  const auto found = cursors_.find({std::string(peer), stream});
  if (found != cursors_.end()) return found->second;
  return {.peer = std::string(peer), .stream = stream};
}

std::uint64_t StoreState::oldest_unsealed(std::uint64_t otherwise, TableId sealing) const {
  std::uint64_t oldest = otherwise;
  for (const auto& [id, table] : tables) {
    const Memtable* active = table.active.get();
    const Memtable* frozen = id == sealing ? nullptr : table.frozen.get();
    for (const Memtable* rows : {active, frozen}) {
      if (rows != nullptr && rows->rows() > 0) oldest = std::min(oldest, rows->first_lsn());
    }
  }
  return oldest;
}

std::size_t StoreState::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [id, table] : tables) {
    bytes += table.active->bytes() + (table.frozen ? table.frozen->bytes() : 0);
  }
  return bytes;
}

record::StreamDefinition StoreState::definition(const StreamInfo& info) {
  return {.id = info.id, .origin = info.origin, .schema = *info.schema, .policy = info.policy};
}

CatalogueChange StoreState::take_dirty(std::uint64_t lsn) {
  CatalogueChange change;
  for (auto& [id, stream] : streams) {
    std::erase_if(stream.fresh_covers, [&](const Stream::FreshCover& cover) {
      if (cover.lsn >= lsn) return false;
      stream.stored_covers[cover.epoch].add(cover.from, cover.to);
      dirty_covers_.insert({stream.info.id, cover.epoch});
      return true;
    });
  }
  for (const StreamId id : std::exchange(dirty_streams_, {})) {
    change.streams.push_back(streams[id].info);
  }
  for (const TableId id : std::exchange(dirty_tables_, {})) {
    change.tables.push_back(tables[id].info);
  }
  for (const auto& [id, epoch] : std::exchange(dirty_covers_, {})) {
    for (const auto& range : streams[id].stored_covers[epoch].ranges()) {
      change.covers.push_back({id, epoch, range.from, range.to});
    }
  }
  for (const auto& key : std::exchange(dirty_cursors_, {})) {
    change.cursors.push_back(cursors_[key]);
  }
  change.devices = std::exchange(dirty_devices_, {});
  dirty_definitions_ = false;
  change.gaps = std::exchange(dirty_gaps_, {});
  return change;
}

void StoreState::put_back(const CatalogueChange& change) {
  dirty_definitions_ = dirty_definitions_ || !change.streams.empty() || !change.devices.empty();
  for (const StreamInfo& stream : change.streams) dirty_streams_.insert(stream.id);
  for (const TableInfo& table : change.tables) dirty_tables_.insert(table.id);
  for (const Cover& cover : change.covers) dirty_covers_.insert({cover.stream, cover.epoch});
  for (const Cursor& cursor : change.cursors) dirty_cursors_.insert({cursor.peer, cursor.stream});
  dirty_devices_.insert(dirty_devices_.end(), change.devices.begin(), change.devices.end());
  dirty_gaps_.insert(dirty_gaps_.end(), change.gaps.begin(), change.gaps.end());
}

}  // namespace infiniedge::store
