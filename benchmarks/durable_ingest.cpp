// SPDX-License-Identifier: Apache-2.0
// Durable ingest of G1 in commits of 100 rows, by one writer and by eight producers: our store
// beside SQLite, in alternating rounds of one run. The median of the rounds is printed.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <thread>

#include "ingest.hpp"
#include "store/testing/g1.hpp"

namespace infiniedge::benchmarks {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kRowsOfCommit = 100;

struct Options {
  int rounds = 5, seconds = 30;
  std::size_t rows = 1'000'000, warm_up = 1'500'000;
  std::string dir = fs::temp_directory_path();
};

/// One contender with one number of producers; a figure for every round.
struct Series {
  std::string name;
  int producers;
  Leg (*ingest)(const Work&);
  std::vector<double> rate{}, rate_closed{}, bytes{}, p50{}, p99{};
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// A store that hangs must not look like a slow one: the process says which, and dies.
void end_if_stuck(const std::string& name, unsigned seconds) {
  static char message[64];
  *fmt::format_to_n(message, sizeof message - 1, "{} hangs\n", name).out = '\0';
  std::signal(SIGALRM, [](int) {
    static_cast<void>(!write(STDERR_FILENO, message, std::strlen(message)));
    std::abort();
  });
  alarm(seconds);
}

void run_leg(Series& series, Work& work, const std::string& parent) {
  work.dir = fmt::format("{}/durable_ingest.{}", parent, getpid());
  work.producers = series.producers;
  fs::create_directories(work.dir);
  // Twice the limit, and a minute to open, seal and close.
  end_if_stuck(series.name, static_cast<unsigned>(2 * work.longest.count() + 60));
  Leg leg = series.ingest(work);
  alarm(0);
  const auto written = static_cast<double>(leg.disk_bytes);
  fs::remove_all(work.dir);
  std::sort(leg.commit_ms.begin(), leg.commit_ms.end());
  const auto rows = static_cast<double>(leg.commit_ms.size() * kRowsOfCommit);
  series.rate.push_back(rows / leg.seconds);
  series.rate_closed.push_back(rows / leg.total_seconds);
  series.bytes.push_back(written / rows);
  series.p50.push_back(leg.commit_ms[leg.commit_ms.size() / 2]);
  series.p99.push_back(leg.commit_ms[leg.commit_ms.size() * 99 / 100]);
  fmt::print(stderr, "{} {}: {:.0f} rows/s, {:.1f} B/row\n", series.name, series.producers,
             series.rate.back(), series.bytes.back());
}

/// What others write to the disk meanwhile: a bound on the error of the bytes.
double background_rate(const std::string& dir) {
  const auto before = disk_bytes_written(dir);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  return static_cast<double>(disk_bytes_written(dir) - before) / 2;
}

void print(const Series& s) {
  const auto [low, high] = std::minmax_element(s.rate.begin(), s.rate.end());
  fmt::print("{:<8} {:>9} {:>10.0f} {:>9.0f}-{:<9.0f} {:>10.0f} {:>8.3f} {:>8.3f} {:>9.1f}\n",
             s.name, s.producers, median(s.rate), *low, *high, median(s.rate_closed), median(s.p50),
             median(s.p99), median(s.bytes));
}

void print(const Series& ours, const Series& peer) {
  print(ours);
  print(peer);
  fmt::print(
      "ratio with {} producer(s): {:.2f} x rows/s, {:.2f} x rows/s until closed, "
      "{:.3f} x bytes\n",
      ours.producers, median(ours.rate) / median(peer.rate),
      median(ours.rate_closed) / median(peer.rate_closed), median(ours.bytes) / median(peer.bytes));
}

int run(const Options& options) {
  Work work;
  store::testing::G1 generator;
  const SchemaPtr schema = store::testing::G1::schema();
  for (std::size_t done = 0; done < options.warm_up + options.rows; done += kRowsOfCommit) {
    work.commits.push_back(generator.next(schema, kRowsOfCommit));
    work.commits.back().seq.clear();
  }
  work.warm_up = options.warm_up / kRowsOfCommit;
  work.longest = std::chrono::seconds(options.seconds);
  std::vector<Series> all{{"bare", 1, ingest_nothing},
                          {"ours", 1, ingest_store},
                          {"sqlite", 1, ingest_sqlite},
                          {"ours", 8, ingest_store},
                          {"sqlite", 8, ingest_sqlite}};
  std::vector<double> background;
  for (int round = 0; round < options.rounds; ++round) {
    background.push_back(background_rate(options.dir));
    for (Series& series : all) run_leg(series, work, options.dir);
  }
  fmt::print(
      "{} rows of G1 at most, {} a commit, {} s at most, median of {} alternating rounds; others "
      "wrote {:.0f} kB/s\n{:<8} {:>9} {:>10} {:>19} {:>10} {:>8} {:>8} {:>9}\n",
      options.rows, kRowsOfCommit, options.seconds, options.rounds, median(background) / 1e3, "",
      "producers", "rows/s", "min-max", "to closed", "p50 ms", "p99 ms", "disk B/row");
  print(all[0]);
  print(all[1], all[2]);
  fmt::print("a bare page write and sync: {:.2f} x rows/s of ours, {:.2f} x of the peer\n",
             median(all[0].rate) / median(all[1].rate), median(all[0].rate) / median(all[2].rate));
  print(all[3], all[4]);
  return 0;
}

}  // namespace
}  // namespace infiniedge::benchmarks

int main(int argc, char** argv) {
  infiniedge::benchmarks::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--rounds") options.rounds = std::max(1, std::atoi(argv[i + 1]));
    if (name == "--rows") options.rows = std::max(100UL, std::strtoul(argv[i + 1], nullptr, 10));
    if (name == "--warm-up") options.warm_up = std::strtoul(argv[i + 1], nullptr, 10);
    if (name == "--seconds") options.seconds = std::max(1, std::atoi(argv[i + 1]));
    if (name == "--dir") options.dir = argv[i + 1];
  }
  return infiniedge::benchmarks::run(options);
}
