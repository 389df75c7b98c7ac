// SPDX-License-Identifier: Apache-2.0
#include "store/retention.hpp"

#include <algorithm>
#include <string>
#include <tuple>

namespace infiniedge::store {
namespace {

constexpr std::uint64_t kReserve = std::uint64_t{256} << 20;

/// First sequence number of a range that `peer` has not acknowledged; past the end: none.
std::uint64_t first_missing(const SegmentRange& range, const Cursor& cursor) {
  if (cursor.epoch > range.epoch) return range.to + 1;
  if (cursor.epoch < range.epoch) return range.from;
  return std::max(range.from, cursor.hwm + 1);
}

struct Candidate {
  SegmentPtr segment;
  const TableInfo* table = nullptr;
  bool acknowledged = true;         ///< Every range has an uplink, and each uplink has it.
  std::vector<record::Gap> wanted;  ///< What uplinks still want.
  std::vector<record::Gap> lost;    ///< The same, and ranges that have no uplink.
};

record::Gap gap_of(const Segment& segment, const SegmentRange& range, std::uint64_t from) {
  return {.stream = range.stream,
          .epoch = range.epoch,
          .from_seq = from,
          .to_seq = range.to,
          .from_ts = segment.min_ts,
          .to_ts = segment.max_ts,
          .rows = std::min(range.rows, range.to - from + 1),
          .reason = record::GapReason::Evicted};
}

Candidate judge(const RetentionInput& input, const TableView& table, const SegmentPtr& segment) {
  Candidate out{.segment = segment, .table = &table.info};
  for (const SegmentRange& range : segment->ranges) {
    const StreamInfo* stream = input.snapshot->stream(range.stream);
    if (stream == nullptr) continue;
    if (stream->policy.uplinks.empty()) {
      out.acknowledged = false;
      out.lost.push_back(gap_of(*segment, range, range.from));
      continue;
    }
    std::uint64_t from = range.to + 1;
    for (const std::string& peer : stream->policy.uplinks) {
      from = std::min(from, first_missing(range, input.cursor(peer, range.stream)));
    }
    if (from > range.to) continue;
    out.acknowledged = false;
    out.wanted.push_back(gap_of(*segment, range, from));
    out.lost.push_back(out.wanted.back());
  }
  return out;
}

bool is_rollup(const Snapshot& snapshot, const Segment& segment) {
  return std::any_of(segment.ranges.begin(), segment.ranges.end(), [&](const auto& range) {
    const StreamInfo* stream = snapshot.stream(range.stream);
    return stream != nullptr && stream->schema->stream.find("__") != std::string::npos;
  });
}

Evict reason_of(const Snapshot& snapshot, const Candidate& candidate) {
  if (candidate.acknowledged) return Evict::Acknowledged;
  const bool bulk = candidate.table->lane == record::Lane::Bulk;
  return bulk && !is_rollup(snapshot, *candidate.segment) ? Evict::Downsample : Evict::Lost;
}

std::vector<record::Gap> gaps_of(const Candidate& candidate, Evict why) {
  if (why == Evict::Acknowledged) return {};
  if (why == Evict::Expired) return candidate.wanted;  // The rest was promised no longer.
  std::vector<record::Gap> gaps = candidate.lost;
  if (why == Evict::Downsample) {
    for (record::Gap& gap : gaps) gap.reason = record::GapReason::Downsampled;
  }
  return gaps;
}

std::optional<record::Lane> lanes_to_refuse(std::uint64_t used, std::uint64_t room) {
  if (used <= room / 100 * 90) return std::nullopt;
  if (used > room / 100 * 98) return record::Lane::High;
  if (used > room / 100 * 95) return record::Lane::Normal;
  return record::Lane::Bulk;
}

}  // namespace

std::uint64_t segment_room(std::uint64_t limit) {
  return limit > 2 * kReserve ? limit - kReserve : limit / 2;
}

RetentionPlan plan_retention(const RetentionInput& input) {
  RetentionPlan plan;
  std::vector<Candidate> kept;
  std::uint64_t used = 0;
  for (const TableView& table : input.snapshot->tables) {
    const bool alarm = table.info.lane == record::Lane::Alarm;
    for (const SegmentPtr& segment : table.segments) {
      Candidate candidate = judge(input, table, segment);
      const bool old =
          table.info.keep > Micros{0} && from_us(segment->max_ts) < input.now - table.info.keep;
      if (old && (!alarm || candidate.wanted.empty())) {
        plan.evictions.push_back({segment, Evict::Expired, gaps_of(candidate, Evict::Expired)});
        continue;
      }
      used += segment->bytes;
      if (!alarm) kept.push_back(std::move(candidate));
    }
  }
  const std::uint64_t room = segment_room(input.limit);
  if (used <= room / 100 * 90) return plan;

  const auto order = [&](const Candidate& c) {
    return std::tuple(reason_of(*input.snapshot, c), -static_cast<int>(c.table->lane),
                      c.segment->max_ts);
  };
  std::sort(kept.begin(), kept.end(),
            [&](const Candidate& a, const Candidate& b) { return order(a) < order(b); });
  for (const Candidate& candidate : kept) {
    if (used <= room / 100 * 85) break;
    const Evict why = reason_of(*input.snapshot, candidate);
    plan.evictions.push_back({candidate.segment, why, gaps_of(candidate, why)});
    used -= std::min(used, candidate.segment->bytes);
  }
  plan.refuse = lanes_to_refuse(used, room);
  return plan;
}

}  // namespace infiniedge::store
