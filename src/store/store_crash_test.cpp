// SPDX-License-Identifier: Apache-2.0
// Shows every kind of end to a store on the simulated disk, opens what is left, and checks that
// no acknowledged row is gone, that a crash never reads as corruption and rot never as a crash, and
// that opening twice gives the same. `--states N` for long runs, `--seed S` to repeat one.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "runtime/log.hpp"
#include "store/log_recovery.hpp"
#include "store/testing/crash_workload.hpp"

namespace infiniedge::store::testing {
namespace {

using runtime::testing::SimDisk;
using Fate = SimDisk::Fate;
using Fates = std::vector<Fate>;

constexpr std::size_t kSteps = 40;
constexpr std::size_t kStatesPerLife = 400;
constexpr std::size_t kSubsetsUpTo = 10;
constexpr std::size_t kSamples = 256;

struct Totals {
  std::size_t states = 0, failures = 0, flips = 0, faults = 0, kills = 0;
  double slowest_open = 0;
};

/// Ends that a crash after `sizes` undurable operations may have.
std::vector<Fates> ends(const std::vector<std::size_t>& sizes, runtime::Entropy& entropy) {
  const std::size_t n = sizes.size();
  std::vector<Fates> out = {Fates(n, {Fate::Kind::Dropped}), Fates(n, {Fate::Kind::Kept})};
  const auto subset = [n](std::uint64_t bits) {
    Fates fates(n, {Fate::Kind::Dropped});
    for (std::size_t i = 0; i < n; ++i) {
      if ((bits >> (i % 64) & 1) != 0) fates[i].kind = Fate::Kind::Kept;
    }
    return fates;
  };
  const std::size_t count = n <= kSubsetsUpTo ? std::size_t{1} << n : kSamples;
  for (std::size_t i = 1; i + 1 < count; ++i) {
    out.push_back(subset(n <= kSubsetsUpTo ? i : entropy.u64()));
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (const std::size_t sector : {std::size_t{512}, std::size_t{4096}}) {
      if (sizes[i] <= sector) continue;
      for (const bool zero : {false, true}) {
        const std::size_t cut = sector * (1 + entropy.u64() % ((sizes[i] - 1) / sector));
        for (const Fate& torn :
             {Fate{Fate::Kind::Head, cut, 0, zero}, Fate{Fate::Kind::Tail, cut, 0, zero},
              Fate{Fate::Kind::Sectors, sector, entropy.u64(), zero}}) {
          Fates fates(n, {entropy.u64() % 2 == 0 ? Fate::Kind::Kept : Fate::Kind::Dropped});
          fates[i] = torn;
          out.push_back(std::move(fates));
        }
      }
    }
  }
  return out;
}

/// Opens `node`, judges, kills, opens again, appends, and opens a third time. `shown`: what an
/// earlier process had shown of it.
std::string check(SimNode& node, const std::vector<Acknowledged>& acknowledged, std::size_t at,
                  bool damaged, Totals& totals, const Contents* shown = nullptr) {
  const auto start = std::chrono::steady_clock::now();
  if (auto opened = node.try_start(); !opened) return opened.error().describe();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  totals.slowest_open = std::max(totals.slowest_open, took.count());
  const Contents first = contents_of(node);
  if (auto wrong = judge(first, acknowledged, at, damaged); !wrong.empty()) return wrong;
  if (shown != nullptr && first != *shown) return "what an earlier opening showed is not there";
  node.kill();
  if (auto opened = node.try_start(); !opened) return "again: " + opened.error().describe();
  if (contents_of(node) != first) return "the second opening finds something else";
  const char* stream = CrashWorkload::kLocal[0];
  const auto info = node.store().find(stream);
  if (!info) return "";
  auto appended = node.run(node.store().append(numbered_rows(stream, 0, 1)));
  if (!appended) return "cannot append: " + appended.error().describe();
  node.kill();
  if (auto opened = node.try_start(); !opened) return "third: " + opened.error().describe();
  Contents third = contents_of(node);
  if (third.rows[stream].erase({appended->epoch, appended->first_seq}) != 1) {
    return "a row appended after recovery is gone";
  }
  if (third.rows[stream].empty()) third.rows.erase(stream);
  return third == first ? "" : "the third opening finds something else";
}

void report(Totals& totals, std::uint64_t seed, const std::string& where,
            const std::string& wrong) {
  ++totals.states;
  if (wrong.empty()) return;
  ++totals.failures;
  fmt::print("FAILED seed {} {}: {}\n", seed, where, wrong);
}

void crash_states(CrashWorkload& life, std::uint64_t seed, std::size_t limit, Totals& totals) {
  runtime::SeededEntropy entropy{seed ^ 0x9e3779b97f4a7c15};
  const std::size_t operations = life.node().disk().operations();
  std::size_t done = 0;
  while (done < limit) {
    const std::size_t at = entropy.u64() % (operations + 1);
    const std::vector<Fates> all = ends(life.node().disk().undurable(at), entropy);
    // A few ends of many moments tell more than all ends of few.
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 8) && done < limit; ++i, ++done) {
      const std::size_t end = all.size() <= 8 ? i : entropy.u64() % all.size();
      const bool before = entropy.u64() % 2 == 0;
      SimNode node(life.node().disk().crash(at, all[end]), life.node().catalogue().at(at, before));
      node.options() = CrashWorkload::options();
      report(totals, seed, fmt::format("operation {} end {}", at, end),
             check(node, life.acknowledged(), at, false, totals));
    }
  }
}

/// The process dies in the middle of something, the next one shows what it finds, and then the
/// power goes: what was shown may have been sent, so all of it must still be there.
void kill_states(CrashWorkload& life, std::uint64_t seed, std::size_t limit, Totals& totals) {
  runtime::SeededEntropy entropy{seed ^ 0xd6e8feb86659fd93};
  const SimDisk& disk = life.node().disk();
  for (std::size_t done = 0; done < limit; ++done) {
    const std::size_t at = entropy.u64() % (disk.operations() + 1);
    SimNode node(disk.without_process(at), life.node().catalogue().at(at, entropy.u64() % 2 == 0));
    node.options() = CrashWorkload::options();
    ++totals.kills;
    report(totals, seed, fmt::format("kill at operation {}", at), [&]() -> std::string {
      if (auto opened = node.try_start(); !opened) return opened.error().describe();
      const Contents shown = contents_of(node);
      if (auto wrong = judge(shown, life.acknowledged(), at, false); !wrong.empty()) return wrong;
      Fates fates(node.disk().undurable(node.disk().operations()).size());
      for (Fate& fate : fates) {
        fate.kind = entropy.u64() % 4 == 0 ? Fate::Kind::Kept : Fate::Kind::Dropped;
      }
      node.cut_power(fates);
      auto wrong = check(node, life.acknowledged(), at, false, totals, &shown);
      return wrong.empty() ? "" : "after the power cut: " + wrong;
    }());
  }
}

class NoSink final : public LogSink {
 public:
  void file(const FileHeader&) override {}
  Result<void> record(const RecordHeader&, base::ByteView) override { return {}; }
  void corrupt(std::uint64_t, std::uint64_t, const RecordHeader*) override {}
};

/// Bytes of the log that were durable for certain: rot in the last group, with nothing behind it,
/// cannot be told from a torn write.
struct DurableBytes {
  std::string file;
  std::uint64_t size = 0;
};

std::vector<DurableBytes> durable_bytes(SimDisk& disk, const CatalogueState& catalogue) {
  Log::Options options{.dir = "/store/log", .quarantine_dir = "/store/quarantine"};
  options.gateway = catalogue.gateway;
  options.epoch = catalogue.epoch;
  options.durable_lsn = catalogue.durable_lsn;
  NoSink sink;
  auto found = recover_log(disk, options, sink);
  std::vector<DurableBytes> out;
  if (!found) return out;
  for (const LogFile& file : found->chain) {
    const std::uint64_t end = std::min(found->opened.durable, file.limit());
    if (end > file.header.base_lsn) {
      out.push_back({file.path, end - file.header.base_lsn + kLogPage});
    }
  }
  return out;
}

/// One bit of the log turned over: the row it hits is named lost, or nothing is.
void flip_states(CrashWorkload& life, std::uint64_t seed, std::size_t limit, Totals& totals) {
  runtime::SeededEntropy entropy{seed ^ 0xbf58476d1ce4e5b9};
  const std::size_t operations = life.node().disk().operations();
  const auto undurable = life.node().disk().undurable(operations);
  for (std::size_t done = 0; done < limit; ++done) {
    auto disk = life.node().disk().crash(operations, Fates(undurable.size(), {Fate::Kind::Kept}));
    const CatalogueState catalogue = life.node().catalogue().at(operations);
    const auto files = durable_bytes(*disk, catalogue);
    if (files.empty()) return;
    const DurableBytes& bytes = files[entropy.u64() % files.size()];
    const std::uint64_t bit = entropy.u64() % (bytes.size * 8);
    disk->flip(bytes.file, bit);
    SimNode node(std::move(disk), catalogue);
    node.options() = CrashWorkload::options();
    ++totals.flips;
    const std::string wrong = check(node, life.acknowledged(), operations, true, totals);
    report(totals, seed, fmt::format("bit {} of {}", bit, bytes.file), wrong);
  }
}

/// Each disk call fails once; what was acknowledged nevertheless must survive a power cut.
void fault_states(std::uint64_t seed, std::size_t limit, Totals& totals) {
  CrashWorkload healthy(seed, kSteps);
  healthy.run();
  runtime::SeededEntropy entropy{seed ^ 0x94d049bb133111eb};
  for (std::size_t done = 0; done < limit; ++done) {
    const std::size_t n = 1 + entropy.u64() % healthy.fallible();
    const Code code = entropy.u64() % 2 == 0 ? Code::Unavailable : Code::Exhausted;
    CrashWorkload life(seed, kSteps);
    life.run_with_fault(n, code);
    const std::size_t at = life.node().disk().operations();
    const auto undurable = life.node().disk().undurable(at);
    Fates fates(undurable.size(),
                {entropy.u64() % 2 == 0 ? Fate::Kind::Kept : Fate::Kind::Dropped});
    SimNode node(life.node().disk().crash(at, fates), life.node().catalogue().now());
    node.options() = CrashWorkload::options();
    ++totals.faults;
    report(totals, seed, fmt::format("{} at call {}", to_string(code), n),
           check(node, life.acknowledged(), at, false, totals));
  }
}

/// Crashes and faulty calls, flipped bits, or both in one life after another.
enum class Kinds { All, Crashes, Flips };

int run(std::size_t states, std::uint64_t seed, Kinds kinds) {
  if (auto quiet = runtime::configure_log("error,store=error", runtime::LogFormat::Text); !quiet) {
    return 2;
  }
  Totals totals;
  for (; totals.states < states && totals.failures < 20; ++seed) {
    const std::size_t left = std::min(states - totals.states, kStatesPerLife);
    CrashWorkload life(seed, kSteps);
    life.run();
    if (kinds != Kinds::Flips) {
      crash_states(life, seed, left * 5 / 10 + 1, totals);
      kill_states(life, seed, left / 10, totals);
      fault_states(seed, left / 10, totals);
    }
    if (kinds != Kinds::Crashes) flip_states(life, seed, left * 3 / 10 + 1, totals);
  }
  fmt::print(
      "{} states: {} failed; {} kills before the cut, {} flipped bits, {} faulty calls; slowest "
      "opening {:.3f} s\n",
      totals.states, totals.failures, totals.kills, totals.flips, totals.faults,
      totals.slowest_open);
  return totals.failures == 0 && totals.slowest_open < 1.0 ? 0 : 1;
}

}  // namespace
}  // namespace infiniedge::store::testing

int main(int argc, char** argv) {
  std::size_t states = 2000;
  std::uint64_t seed = 1;
  using infiniedge::store::testing::Kinds;
  auto kinds = Kinds::All;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--states") == 0) states = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--kinds") == 0) {
      if (std::strcmp(argv[i + 1], "crashes") == 0) kinds = Kinds::Crashes;
      if (std::strcmp(argv[i + 1], "flips") == 0) kinds = Kinds::Flips;
    }
    if (std::strcmp(argv[i], "--seed") == 0) seed = std::strtoull(argv[i + 1], nullptr, 10);
  }
  return infiniedge::store::testing::run(states, seed, kinds);
}
