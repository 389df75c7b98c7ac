// SPDX-License-Identifier: Apache-2.0
#include "store/store_recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "record/block.hpp"
#include "record/evolve.hpp"
#include "record/schema_codec.hpp"
#include "runtime/log.hpp"
#include "store/hub_batch.hpp"

namespace infiniedge::store {
namespace {

Error unreadable(const RecordHeader& header, std::string_view what) {
  return {Code::Corrupt, fmt::format("log record at LSN {}: {}", header.lsn, what)};
}

/// Gives each id that is asked for and unknown a name, in the state.
class PlaceholderDevices final : public record::DeviceIds {
 public:
  explicit PlaceholderDevices(StoreState& state) : state_(state) {}
  std::uint32_t id_of(std::string_view name) override { return state_.devices.id_of(name); }
  std::optional<std::string_view> name_of(std::uint32_t id) const override {
    if (!state_.devices.name_of(id)) state_.add_device(id, fmt::format("lost-name-{}", id));
    return state_.devices.name_of(id);
  }

 private:
  StoreState& state_;
};

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

Result<void> StoreRecovery::batch(const RecordHeader& header, base::ByteView payload) {
  return add({header, epoch_, std::string(base::as_text(payload))});
}

Result<void> StoreRecovery::hub_batch(const RecordHeader& header, base::ByteView payload) {
  auto batch = decode_hub_batch(payload);
  if (!batch) return std::move(batch).error();
  if (Stream* stream = state_.find(header.stream_id)) {
    StoreState::cover(*stream, batch->epoch, batch->from, batch->to, header.lsn);
  }
  if (batch->block.empty()) return {};
  return add({header, batch->epoch, std::string(base::as_text(batch->block))});
}

/// Rows whose definitions were damaged wait until the end: a later file repeats them.
Result<void> StoreRecovery::add(Rows rows) {
  auto added = try_add(rows);
  if (added || corrupt_bytes_ == 0) return added;
  deferred_.push_back(std::move(rows));
  return {};
}

Result<void> StoreRecovery::try_add(const Rows& rows) {
  const RecordHeader& header = rows.header;
  Stream* stream = state_.find(header.stream_id);
  if (stream == nullptr) {
    return unreadable(header, fmt::format("stream {} was never defined", header.stream_id));
  }
  auto head = record::block_header(base::as_bytes(rows.block));
  if (!head) return std::move(head).error();
  const auto version = stream->versions.find(head->schema_version);
  if (version == stream->versions.end()) {
    return unreadable(header, fmt::format("schema version {} of stream {} was never defined",
                                          head->schema_version, stream->info.schema->stream));
  }
  auto batch = record::decode_block(base::as_bytes(rows.block), version->second, state_.devices);
  if (!batch) {
    return Error{Code::Corrupt, fmt::format("log record at LSN {}", header.lsn),
                 std::move(batch).error()};
  }
  if (batch->seq.empty()) {
    for (std::size_t i = 0; i < batch->rows(); ++i) batch->seq.push_back(header.first_seq + i);
  }
  if (!stream->remote()) {
    seen_[{header.stream_id, rows.epoch}].add(batch->seq.front(), batch->seq.back());
  }
  batch->label = static_cast<LabelId>(header.label_id);
  Table& table = state_.table_for(*version->second, stream->info.policy);
  if (header.lsn < table.sealed_lsn) {
    state_.advance(*stream, rows.epoch, batch->seq.back());
    return {};
  }
  auto adapted = record::adapt(std::move(*batch), table.info.schema);
  if (!adapted) return std::move(adapted).error();
  state_.add_rows(*stream, table, rows.epoch, *adapted, header.lsn, now_);
  return {};
}

/// Now every definition that is left has been seen. A device whose name is lost gets one that says
/// so; rows of a lost stream cannot be read at all.
void StoreRecovery::add_deferred() {
  for (const Rows& rows : std::exchange(deferred_, {})) {
    auto added = try_add(rows);
    if (!added && name_lost_devices(rows)) added = try_add(rows);
    if (added) continue;
    runtime::log(runtime::Level::Error, "store", "rows are lost: their definition was damaged",
                 {{"error", added.error().describe()}});
  }
}

bool StoreRecovery::name_lost_devices(const Rows& rows) {
  const Stream* stream = state_.find(rows.header.stream_id);
  auto head = record::block_header(base::as_bytes(rows.block));
  if (stream == nullptr || !head || !stream->versions.contains(head->schema_version)) return false;
  PlaceholderDevices placeholders(state_);
  return record::decode_block(base::as_bytes(rows.block), stream->versions.at(head->schema_version),
                              placeholders)
      .has_value();
}

void StoreRecovery::corrupt(std::uint64_t from, std::uint64_t to, const RecordHeader* hint) {
  corrupt_bytes_ += to - from;
  if (hint != nullptr) suspects_[epoch_].push_back(hint->first_seq);
}

std::vector<record::Gap> StoreRecovery::finish() {
  add_deferred();
  state_.use_newest_schemas();
  std::vector<record::Gap> out;
  if (corrupt_bytes_ == 0) return out;
  for (const auto& [id, stream] : state_.streams) {
    if (stream.remote()) continue;  // Their holes show in the cover; the sender fills them.
    for (std::uint32_t epoch = 1; epoch <= stream.info.epoch; ++epoch) {
      for (const RangeSet::Range& hole : holes(stream, epoch)) {
        out.push_back({.stream = id,
                       .epoch = epoch,
                       .from_seq = hole.from,
                       .to_seq = hole.to,
                       .rows = hole.to - hole.from + 1,
                       .reason = record::GapReason::Corrupt});
      }
    }
  }
  for (const record::Gap& gap : out) state_.add_gap(gap);
  return out;
}

/// Numbers of the stream that are nowhere, though later ones are, or seem to have been.
std::vector<RangeSet::Range> StoreRecovery::holes(const Stream& stream, std::uint32_t epoch) const {
  const StreamInfo& info = stream.info;
  RangeSet known;
  std::vector<std::uint64_t> named;  // Where losses begin that gaps tell of.
  bool sealed = false;
  for (const auto& [table_id, table] : state_.tables) {
    for (const SegmentPtr& segment : table.segments) {
      for (const SegmentRange& range : segment->ranges) {
        if (range.stream == info.id && range.epoch == epoch) known.add(range.from, range.to);
      }
    }
    sealed = sealed || table.sealed_lsn > 0;
  }
  if (const auto seen = seen_.find({info.id, epoch}); seen != seen_.end()) {
    for (const RangeSet::Range& range : seen->second.ranges()) known.add(range.from, range.to);
  }
  if (const auto gaps = state_.gaps.find(info.id); gaps != state_.gaps.end()) {
    for (const record::Gap& gap : gaps->second) {
      if (gap.epoch != epoch) continue;
      known.add(gap.from_seq, gap.to_seq);
      if (gap.reason == record::GapReason::Corrupt) named.push_back(gap.from_seq);
    }
  }
  // What was sealed may have expired since; then the first number known is the first there is.
  const std::uint64_t first = sealed && !known.empty() ? known.ranges().front().from : 1;
  std::uint64_t last = known.empty() ? 0 : known.ranges().back().to;
  if (epoch == info.epoch) last = std::max(last, info.last_seq);
  if (const auto suspects = suspects_.find(epoch); suspects != suspects_.end()) {
    // A damaged record that began where this stream ended, one bit aside, was likely its last: its
    // header cannot be trusted, so up to one block counts as lost.
    const auto near = [](std::uint64_t a, std::uint64_t b) { return std::popcount(a ^ b) <= 1; };
    const auto is_news = [&](std::uint64_t begin) {
      // An earlier start may have named it already.
      return near(begin, last + 1) &&
             std::none_of(named.begin(), named.end(), [&](auto from) { return near(begin, from); });
    };
    const bool any = std::any_of(suspects->second.begin(), suspects->second.end(), is_news);
    if (any) last += record::kMaxBlockRows;
  }
  return known.missing(first, last);
}

}  // namespace infiniedge::store
