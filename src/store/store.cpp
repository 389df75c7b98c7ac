// SPDX-License-Identifier: Apache-2.0
#include "store/store.hpp"

#include <fmt/format.h>

#include "record/evolve.hpp"
#include "record/schema_codec.hpp"
#include "store/store_impl.hpp"

namespace infiniedge::store {

Task<Result<std::unique_ptr<Store>>> Store::open(Environment environment, Options options) {
  auto impl = std::make_unique<Impl>(std::move(environment), std::move(options));
  auto opened = co_await impl->open();
  if (!opened) {
    co_await impl->close();
    co_return std::move(opened).error();
  }
  co_return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Task<void> Store::close() { return impl_->close(); }
const record::GatewayId& Store::gateway() const { return impl_->gateway; }
std::uint32_t Store::epoch() const { return impl_->epoch; }
Health Store::health() const { return impl_->health; }
void Store::on_failed(std::function<void(Error)> listener) {
  impl_->failed_listener = std::move(listener);
}

Task<Result<StreamId>> Store::declare(SchemaPtr schema, record::StreamPolicy policy) {
  return impl_->declare({}, std::move(schema), std::move(policy));
}
Task<Result<StreamId>> Store::declare_remote(record::GatewayId origin, SchemaPtr schema,
                                             record::StreamPolicy policy) {
  if (origin == record::GatewayId{}) {
    co_return Error{Code::Invalid, "a remote stream needs the id of its gateway"};
  }
  co_return co_await impl_->declare(origin, std::move(schema), std::move(policy));
}

Task<Result<StreamId>> Store::Impl::declare(record::GatewayId origin, SchemaPtr schema,
                                            record::StreamPolicy policy) {
  const std::pair key(origin, schema->stream);
  while (declaring_.contains(key)) co_await changed_.wait();
  const Stream* known = state.find(origin, schema->stream);
  auto evolved = record::evolve(known != nullptr ? known->info.schema : nullptr, *schema);
  if (!evolved) co_return std::move(evolved).error();
  if (known != nullptr && *evolved == known->info.schema && policy == known->info.policy) {
    co_return known->info.id;
  }
  record::StreamDefinition definition{
      .id = known != nullptr ? known->info.id : state.new_stream_id(),
      .origin = origin,
      .schema = **evolved,
      .policy = std::move(policy)};
  auto entry = std::make_shared<Entry>(env.executor);
  entry->others.push_back({.type = RecordType::Define,
                           .stream_id = definition.id,
                           .payload = record::encode_definition(definition),
                           .define_key = fmt::format("stream {}", definition.id)});
  entry->bytes = record_size(entry->others.front().payload.size());
  if (entry->bytes > kMaxGroup / 2) {
    co_return Error{Code::Invalid,
                    fmt::format("the schema of stream {} is too large", schema->stream)};
  }
  entry->apply = [this, definition] { state.define(definition); };
  declaring_.insert(key);
  auto committed = co_await commit(std::move(entry));
  declaring_.erase(key);
  changed_.notify();
  if (!committed) co_return std::move(committed).error();
  co_return definition.id;
}

std::optional<StreamInfo> Store::find(std::string_view name,
                                      const record::GatewayId& origin) const {
  const Stream* stream = impl_->state.find(origin, name);
  return stream != nullptr ? std::optional(stream->info) : std::nullopt;
}

std::optional<StreamInfo> Store::find(StreamId id) const {
  const Stream* stream = impl_->state.find(id);
  return stream != nullptr ? std::optional(stream->info) : std::nullopt;
}

std::vector<StreamInfo> Store::streams() const {
  std::vector<StreamInfo> out;
  for (const auto& [id, stream] : impl_->state.streams) out.push_back(stream.info);
  return out;
}

Task<Result<Appended>> Store::append(Batch rows) {
  std::vector<Batch> batches;
  batches.push_back(std::move(rows));
  auto appended = co_await impl_->append(std::move(batches), false);
  if (!appended) co_return std::move(appended).error();
  co_return appended->front();
}
Task<Result<std::vector<Appended>>> Store::append_all(std::vector<Batch> batches) {
  return impl_->append(std::move(batches), true);
}
Task<Result<std::vector<Cover>>> Store::append_remote(RemoteBatch batch) {
  return impl_->append_remote(std::move(batch));
}
Task<Result<void>> Store::append_gap(record::Gap gap) { return impl_->append_gap(std::move(gap)); }
std::vector<Cover> Store::covered(StreamId stream, std::uint32_t epoch) const {
  return impl_->covered(stream, epoch);
}
Task<Result<void>> Store::raise_epoch(std::string reason) {
  return impl_->raise_epoch(std::move(reason));
}

Task<Result<std::vector<OutboxItem>>> Store::read_outbox(StreamId stream, std::uint32_t epoch,
                                                         std::uint64_t after, std::size_t max_rows,
                                                         std::size_t max_bytes) {
  return impl_->read_outbox(stream, epoch, after, max_rows, max_bytes);
}
Cursor Store::cursor(std::string_view peer, StreamId stream) const {
  return impl_->state.cursor(peer, stream);
}
void Store::advance_cursor(const Cursor& cursor) { impl_->state.advance_cursor(cursor); }
Backlog Store::backlog(std::string_view peer, StreamId stream) const {
  return impl_->backlog(peer, stream);
}

Store::Subscription Store::on_durable(std::function<void(StreamId, std::uint64_t)> listener) {
  auto& listeners = impl_->listeners;
  const auto at = listeners.insert(listeners.end(), std::move(listener));
  // The token may outlive the store: it must not touch a list that is gone.
  std::weak_ptr<const void> alive = impl_->alive;
  return std::shared_ptr<const void>(&*at, [&listeners, at, alive](const void*) {
    if (!alive.expired()) listeners.erase(at);
  });
}

SnapshotPtr Store::snapshot() { return impl_->snapshot(); }

SnapshotPtr Store::Impl::snapshot() {
  if (snapshot_ && snapshot_version_ == state.version) return snapshot_;
  auto next = std::make_shared<Snapshot>();
  next->gateway = gateway;
  next->epoch = epoch;
  next->dir = options.dir;
  next->lsn = published_;
  for (const auto& [id, stream] : state.streams) next->streams.push_back(stream.info);
  for (auto& [id, table] : state.tables) {
    TableView view{.info = table.info, .segments = table.segments};
    for (Memtable* rows : {table.frozen.get(), table.active.get()}) {
      if (rows == nullptr) continue;
      for (ChunkPtr& chunk : rows->chunks()) view.chunks.push_back(std::move(chunk));
    }
    next->tables.push_back(std::move(view));
  }
  for (const auto& [id, gaps] : state.gaps) {
    next->gaps.insert(next->gaps.end(), gaps.begin(), gaps.end());
  }
  snapshot_ = std::move(next);
  snapshot_version_ = state.version;
  return snapshot_;
}

Task<Result<void>> Store::seal(TableId table) { return impl_->seal(table); }
Task<Result<SegmentPtr>> Store::replace_segments(std::vector<SegmentPtr> old, std::string temporary,
                                                 Segment shape) {
  return impl_->replace_segments(std::move(old), std::move(temporary), std::move(shape));
}
Task<Result<void>> Store::drop_segments(std::vector<SegmentPtr> segments,
                                        std::vector<record::Gap> gaps) {
  return impl_->drop_segments(std::move(segments), std::move(gaps));
}

Store::Usage Store::usage() const { return impl_->usage(); }
Store::Usage Store::Impl::usage() const {
  Usage usage{.log = log_bytes_, .memory = state.memory_bytes(), .limit = max_bytes_};
  for (const auto& [id, table] : state.tables) {
    for (const SegmentPtr& segment : table.segments) usage.segments += segment->bytes;
  }
  return usage;
}
void Store::refuse(std::optional<record::Lane> lane) { impl_->refused = lane; }

}  // namespace infiniedge::store
