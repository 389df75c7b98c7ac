// SPDX-License-Identifier: Apache-2.0
#include "store/store_recovery.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "record/block.hpp"
#include "record/evolve.hpp"
#include "record/schema_codec.hpp"
#include "store/hub_batch.hpp"

namespace infiniedge::store {
namespace {

Error unreadable(const RecordHeader& header, std::string_view what) {
  return {Code::Corrupt, fmt::format("log record at LSN {}: {}", header.lsn, what)};
}

}  // namespace

Result<void> StoreRecovery::record(const RecordHeader& header, base::ByteView payload) {
  if (header.flags != 0) {
    return Error{Code::Unsupported, fmt::format("log record at LSN {} has flags {}: a newer "
                                                "version wrote it; use that one",
                                                header.lsn, header.flags)};
  }
  switch (header.type) {
    case RecordType::Batch:
      return batch(header, payload);
    case RecordType::Define:
      return define(payload);
    case RecordType::Gap: {
      auto gap = record::decode_gap(payload);
      if (!gap) return std::move(gap).error();
      state_.add_gap(std::move(*gap));
      return {};
    }
    case RecordType::HubBatch:
      return hub_batch(header, payload);
    case RecordType::Mark:
    case RecordType::Close:
      return {};
  }
  return unreadable(header, "an unknown type: a newer version wrote it; use that one");
}

Result<void> StoreRecovery::define(base::ByteView payload) {
  auto definition = record::decode_definition(payload);
  if (!definition) return std::move(definition).error();
  if (const auto* stream = std::get_if<record::StreamDefinition>(&*definition)) {
    state_.define(*stream);
  } else if (const auto* device = std::get_if<record::DeviceDefinition>(&*definition)) {
    state_.add_device(device->id, device->name);
  }
  return {};
}

Result<Stream*> StoreRecovery::stream_of(const RecordHeader& header) {
  Stream* stream = state_.find(header.stream_id);
  if (stream == nullptr) {
    return unreadable(header, fmt::format("stream {} was never defined", header.stream_id));
  }
  return stream;
}

Result<void> StoreRecovery::batch(const RecordHeader& header, base::ByteView payload) {
  auto stream = stream_of(header);
  if (!stream) return std::move(stream).error();
  const StreamInfo& info = (*stream)->info;
  const std::uint64_t next = info.epoch == epoch_ ? info.last_seq + 1 : 1;
  if (header.first_seq > next) {
    holes_[info.id].push_back({epoch_, next, header.first_seq - 1});
  }
  return add(header, **stream, epoch_, payload);
}

Result<void> StoreRecovery::hub_batch(const RecordHeader& header, base::ByteView payload) {
  auto stream = stream_of(header);
  if (!stream) return std::move(stream).error();
  auto batch = decode_hub_batch(payload);
  if (!batch) return std::move(batch).error();
  state_.cover(**stream, batch->epoch, batch->from, batch->to);
  if (batch->block.empty()) return {};
  return add(header, **stream, batch->epoch, batch->block);
}

Result<void> StoreRecovery::add(const RecordHeader& header, Stream& stream, std::uint32_t epoch,
                                base::ByteView block) {
  auto head = record::block_header(block);
  if (!head) return std::move(head).error();
  const auto version = stream.versions.find(head->schema_version);
  if (version == stream.versions.end()) {
    return unreadable(header, fmt::format("schema version {} of stream {} was never defined",
                                          head->schema_version, stream.info.schema->stream));
  }
  auto rows = record::decode_block(block, version->second, state_.devices);
  if (!rows)
    return Error{Code::Corrupt, unreadable(header, "a block").message(), std::move(rows).error()};
  if (rows->seq.empty()) {
    for (std::size_t i = 0; i < rows->rows(); ++i) rows->seq.push_back(header.first_seq + i);
  }
  rows->label = static_cast<LabelId>(header.label_id);
  Table& table = state_.table_for(*version->second, stream.info.policy);
  if (header.lsn < table.sealed_lsn) {
    state_.advance(stream, epoch, rows->seq.back());
    return {};
  }
  auto adapted = record::adapt(std::move(*rows), table.info.schema);
  if (!adapted) return std::move(adapted).error();
  state_.add_rows(stream, table, epoch, *adapted, header.lsn, now_);
  return {};
}

void StoreRecovery::corrupt(std::uint64_t from, std::uint64_t to, const RecordHeader* hint) {
  corrupt_bytes_ += to - from;
  if (hint == nullptr || hint->type != RecordType::Batch) return;
  const Stream* stream = state_.find(hint->stream_id);
  if (stream == nullptr || stream->remote()) return;
  // Believed only if it is exactly the record that was to come.
  const StreamInfo& info = stream->info;
  const std::uint64_t next = info.epoch == epoch_ ? info.last_seq + 1 : 1;
  if (hint->first_seq != next) return;
  suspects_[info.id] = {epoch_, next, next + record::kMaxBlockRows - 1};
}

bool StoreRecovery::named(StreamId stream, const Hole& hole) const {
  RangeSet gaps;
  if (const auto found = state_.gaps.find(stream); found != state_.gaps.end()) {
    for (const record::Gap& gap : found->second) {
      if (gap.epoch == hole.epoch) gaps.add(gap.from_seq, gap.to_seq);
    }
  }
  return gaps.covers(hole.from, hole.to);
}

std::vector<record::Gap> StoreRecovery::finish() {
  state_.use_newest_schemas();
  for (const auto& [id, suspect] : suspects_) {
    const StreamInfo& info = state_.find(id)->info;
    // A later record would have shown the hole.
    if (info.epoch == suspect.epoch && info.last_seq + 1 == suspect.from) {
      holes_[id].push_back(suspect);
    }
  }
  std::vector<record::Gap> out;
  for (const auto& [id, holes] : holes_) {
    for (const Hole& hole : holes) {
      if (named(id, hole)) continue;
      out.push_back({.stream = id,
                     .epoch = hole.epoch,
                     .from_seq = hole.from,
                     .to_seq = hole.to,
                     .rows = hole.to - hole.from + 1,
                     .reason = record::GapReason::Corrupt});
      state_.add_gap(out.back());
    }
  }
  return out;
}

}  // namespace infiniedge::store
