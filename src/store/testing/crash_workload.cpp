// SPDX-License-Identifier: Apache-2.0
#include "store/testing/crash_workload.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "store/ieb.hpp"

namespace infiniedge::store::testing {
namespace {

constexpr std::uint32_t kRemoteEpoch = 4;

Task<Result<void>> declare_all(Store& store, record::StreamPolicy policy) {
  for (const char* name : CrashWorkload::kLocal) {
    auto id = co_await store.declare(numbered_schema(name), policy);
    if (!id) co_return std::move(id).error();
  }
  auto id = co_await store.declare_remote(CrashWorkload::remote_gateway(),
                                          numbered_schema(CrashWorkload::kRemote), policy);
  if (!id) co_return std::move(id).error();
  co_return Result<void>{};
}

void take_chunk(const Chunk& chunk, const Snapshot& snapshot, Contents& contents) {
  for (const Run& run : chunk.runs) {
    const std::string& name = snapshot.stream(run.stream)->schema->stream;
    for (std::uint32_t row = run.begin; row < run.begin + run.count; ++row) {
      const Contents::Place place(run.epoch, chunk.rows.seq[row]);
      const std::int64_t value = chunk.rows.columns[0].ints()[row];
      if (!contents.rows[name].emplace(place, value).second) {
        contents.problem =
            fmt::format("{} epoch {} row {} is there twice", name, run.epoch, place.second);
      }
    }
  }
}

std::string judge_rows(const std::string& stream, const Contents& contents) {
  const auto rows = contents.rows.find(stream);
  if (rows == contents.rows.end()) return "";
  const auto gaps = contents.gaps.find(stream);
  Contents::Place last{0, 0};
  for (const auto& [place, value] : rows->second) {
    if (value != CrashWorkload::value_of(stream, place.first, place.second)) {
      return fmt::format("{} row {} holds a value that was never written there", stream,
                         place.second);
    }
    const std::uint64_t next = place.first == last.first ? last.second + 1 : 1;
    for (std::uint64_t seq = next; seq < place.second; ++seq) {
      const bool named = gaps != contents.gaps.end() && gaps->second.contains({place.first, seq});
      if (!named) return fmt::format("{} row {} is missing without a gap", stream, seq);
    }
    last = place;
  }
  return "";
}

}  // namespace

CrashWorkload::CrashWorkload(std::uint64_t seed, std::size_t steps)
    : entropy_(seed), steps_(steps) {
  node_.options() = options();
}

Store::Options CrashWorkload::options() {
  Store::Options options{.dir = "/store"};
  options.log_file_bytes = std::uint64_t{64} << 10;  // Rotation and recycling come often.
  return options;
}

record::GatewayId CrashWorkload::remote_gateway() {
  record::GatewayId id{};
  id[0] = std::byte{9};
  return id;
}

std::int64_t CrashWorkload::value_of(const std::string& stream, std::uint32_t epoch,
                                     std::uint64_t seq) {
  return static_cast<std::int64_t>(seq * 7 + epoch * 1000 +
                                   static_cast<unsigned char>(stream[0]) * 1'000'000);
}

void CrashWorkload::run() {
  if (!start()) return;
  for (std::size_t i = 0; i < steps_; ++i) step();
  fallible_ = node_.disk().fallible();
}

void CrashWorkload::run_with_fault(std::size_t n, Code code) {
  node_.disk().fail_at(n, code);
  run();
  node_.disk().heal();
}

bool CrashWorkload::start() {
  if (!node_.try_start()) return false;
  const bool declared = node_.run(declare_all(node_.store(), {})).has_value();
  node_.settle();
  return declared;
}

void CrashWorkload::step() {
  if (!node_.is_up() && !start()) return;
  switch (pick(12)) {
    case 0:
      static_cast<void>(node_.run(node_.store().seal()));
      break;
    case 1:
      node_.stop();
      return;
    case 2:
      node_.advance(Seconds{11});
      break;
    case 3:
    case 4:
      append_many();
      break;
    case 5:
    case 6:
      append_remote();
      break;
    default:
      append(1 + pick(2));
  }
  node_.settle();
}

Batch CrashWorkload::next_rows(const std::string& stream, std::size_t count) {
  Batch batch = numbered_rows(stream, 0, count);
  const auto info = node_.store().find(stream);
  const std::uint32_t epoch = node_.store().epoch();
  const std::uint64_t last = info->epoch == epoch ? info->last_seq : 0;
  for (std::size_t i = 0; i < count; ++i) {
    batch.columns[0].ints()[i] = value_of(stream, epoch, last + 1 + i);
  }
  batch.devices[0] = fmt::format("{}-{}", stream, pick(40));
  return batch;
}

void CrashWorkload::acknowledge(const std::string& stream, std::uint32_t epoch, std::uint64_t from,
                                std::uint64_t to) {
  acknowledged_.push_back({node_.disk().operations(), stream, epoch, from, to});
}

void CrashWorkload::append(std::size_t streams) {
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < streams; ++i) {
    batches.push_back(next_rows(kLocal[i], 1 + pick(pick(4) == 0 ? 3000 : 60)));
  }
  auto appended = node_.run(node_.store().append_all(std::move(batches)));
  if (!appended) return;
  for (std::size_t i = 0; i < streams; ++i) {
    const Appended& a = (*appended)[i];
    acknowledge(kLocal[i], a.epoch, a.first_seq, a.last_seq);
  }
}

/// Both streams at once, by callers that do not wait for each other.
void CrashWorkload::append_many() {
  std::vector<std::optional<Result<Appended>>> done(2);
  for (std::size_t i = 0; i < done.size(); ++i) {
    boost::asio::co_spawn(
        node_.context(), node_.store().append(next_rows(kLocal[i], 1 + pick(200))),
        [&done, i](std::exception_ptr, Result<Appended> result) { done[i] = std::move(result); });
  }
  node_.settle();
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (!*done[i]) continue;
    const Appended& a = **done[i];
    acknowledge(kLocal[i], a.epoch, a.first_seq, a.last_seq);
  }
}

/// The next range of the remote stream, sometimes with a repeat in front or a hole before it.
void CrashWorkload::append_remote() {
  const std::uint64_t back = std::min(pick(30), remote_next_ - 1);
  const std::uint64_t from = pick(5) == 0 ? remote_next_ + pick(5) : remote_next_ - back;
  const std::uint64_t to = remote_next_ + pick(80);
  if (to < from) return;
  RemoteBatch batch{.stream = node_.store().find(kRemote, remote_gateway())->id,
                    .epoch = kRemoteEpoch,
                    .from = from,
                    .to = to,
                    .rows = numbered_rows(kRemote, from, to - from + 1)};
  for (std::uint64_t seq = from; seq <= to; ++seq) {
    batch.rows.columns[0].ints()[seq - from] = value_of(kRemote, kRemoteEpoch, seq);
  }
  if (!node_.run(node_.store().append_remote(std::move(batch)))) return;
  acknowledge(kRemote, kRemoteEpoch, from, to);
  remote_next_ = to + 1;
}

Contents contents_of(SimNode& node) {
  Contents contents;
  const SnapshotPtr snapshot = node.store().snapshot();
  for (const TableView& table : snapshot->tables) {
    for (const SegmentPtr& segment : table.segments) {
      auto chunks = load_ieb(node.disk(), snapshot->dir + "/" + segment->file, table.info);
      if (!chunks) contents.problem = chunks.error().describe();
      if (!chunks) continue;
      for (const ChunkPtr& chunk : *chunks) take_chunk(*chunk, *snapshot, contents);
    }
    for (const ChunkPtr& chunk : table.chunks) take_chunk(*chunk, *snapshot, contents);
  }
  for (const record::Gap& gap : snapshot->gaps) {
    auto& places = contents.gaps[snapshot->stream(gap.stream)->schema->stream];
    for (std::uint64_t seq = gap.from_seq; seq <= gap.to_seq; ++seq) {
      places.insert({gap.epoch, seq});
    }
  }
  if (const auto remote =
          node.store().find(CrashWorkload::kRemote, CrashWorkload::remote_gateway())) {
    for (const Cover& cover : node.store().covered(remote->id, kRemoteEpoch)) {
      for (std::uint64_t seq = cover.from; seq <= cover.to; ++seq) {
        contents.covers[CrashWorkload::kRemote].insert({kRemoteEpoch, seq});
      }
    }
  }
  for (const std::string& file : node.disk().files()) {
    if (file.find("/quarantine/") != std::string::npos) contents.quarantined.insert(file);
  }
  return contents;
}

std::string judge(const Contents& contents, const std::vector<Acknowledged>& acknowledged,
                  std::size_t at, bool damaged) {
  if (!contents.problem.empty()) return contents.problem;
  if (!damaged && !contents.quarantined.empty()) {
    return "a crash was taken for corruption: " + *contents.quarantined.begin();
  }
  for (const Acknowledged& ack : acknowledged) {
    if (ack.operation > at) continue;
    const auto rows = contents.rows.find(ack.stream);
    const auto gaps = contents.gaps.find(ack.stream);
    for (std::uint64_t seq = ack.from; seq <= ack.to; ++seq) {
      const Contents::Place place(ack.epoch, seq);
      if (rows != contents.rows.end() && rows->second.contains(place)) continue;
      const bool named = gaps != contents.gaps.end() && gaps->second.contains(place);
      // The sender of a remote row sees that it is not covered, and sends it again.
      const auto covers = contents.covers.find(ack.stream);
      const bool asked_for = ack.stream == CrashWorkload::kRemote &&
                             (covers == contents.covers.end() || !covers->second.contains(place));
      if (damaged && (named || asked_for)) continue;
      return fmt::format("{} epoch {} row {} was acknowledged and is gone", ack.stream, ack.epoch,
                         seq);
    }
  }
  for (const char* stream : CrashWorkload::kLocal) {
    if (auto wrong = judge_rows(stream, contents); !wrong.empty()) return wrong;
  }
  // Nothing is withheld here: what is covered is there, and nothing else.
  const auto covers = contents.covers.find(CrashWorkload::kRemote);
  const auto rows = contents.rows.find(CrashWorkload::kRemote);
  const std::size_t covered = covers == contents.covers.end() ? 0 : covers->second.size();
  const std::size_t there = rows == contents.rows.end() ? 0 : rows->second.size();
  if (covered != there) {
    return fmt::format("{} numbers are covered, but {} rows are there", covered, there);
  }
  return "";
}

}  // namespace infiniedge::store::testing
