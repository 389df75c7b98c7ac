// SPDX-License-Identifier: Apache-2.0
#include "model/watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/testing/bench_server.hpp"

namespace infiniedge::model {
namespace {

using testing::Bench;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempRepository;

/// A repository that is watched, with its time turned by hand.
struct Watched {
  explicit Watched(bool notices = true)
      : bench(repository.root()),
        watch(bench.server, bench.clock, bench.workers, bench.context.get_executor(),
              notices ? make_inotify(bench.context.get_executor(), repository.root()) : nullptr,
              {}) {
    repository.add("m", "linear");
  }
  ~Watched() { bench.run(watch.close()); }

  void start() {
    bench.run(watch.remember());
    bench.run(bench.server.load_all());
    watch.start();
    settle();
  }
  /// Lets what is under way come to rest, without turning the clock.
  void settle() {
    for (int i = 0; i < 30; ++i) {
      bench.context.restart();
      bench.context.run_one_for(std::chrono::milliseconds(2));
    }
  }
  /// Half a second of quiet.
  void quiet() {
    settle();
    bench.clock.advance(Millis{501});
    settle();
  }
  std::vector<std::int64_t> versions(const char* model = "m") {
    return bench.server.ready_versions(model);
  }
  std::string reasons() {
    std::string out;
    const auto index = bench.run(bench.server.index(false));
    for (const auto& entry : *index) out += entry.reason + "\n";
    return out;
  }

  TempRepository repository;
  Bench bench;
  RepositoryWatch watch;
};

TEST(RepositoryWatch, LoadsANewVersionOnceItIsQuiet) {
  Watched watched;
  watched.start();
  EXPECT_THAT(watched.versions(), ElementsAre(1));
  watched.repository.add("m", "linear", 2);
  watched.settle();
  EXPECT_THAT(watched.versions(), ElementsAre(1));
  watched.quiet();
  EXPECT_TRUE(watched.bench.until([&] { return watched.versions().front() == 2; }));
}

TEST(RepositoryWatch, HalfWrittenVersionTakesNothingDownAndIsTriedAgain) {
  Watched watched;
  watched.start();
  watched.repository.write("m/2/model.onnx", "half of");
  watched.quiet();
  EXPECT_TRUE(watched.bench.until(
      [&] { return watched.reasons().find("version 2") != std::string::npos; }));
  EXPECT_THAT(watched.versions(), ElementsAre(1));
  watched.repository.add("m", "linear", 2);
  watched.quiet();
  EXPECT_TRUE(watched.bench.until([&] { return watched.versions().front() == 2; }));
}

TEST(RepositoryWatch, NewModelComesAndRemovedModelGoes) {
  Watched watched;
  watched.start();
  watched.repository.add("n", "linear");
  watched.quiet();
  EXPECT_TRUE(watched.bench.until([&] { return !watched.versions("n").empty(); }));
  watched.repository.remove("m");
  watched.quiet();
  EXPECT_TRUE(watched.bench.until([&] { return watched.versions().empty(); }));
  EXPECT_THAT(watched.reasons(), HasSubstr("removed from the repository"));
}

TEST(RepositoryWatch, LeavesAloneWhatAClientDecided) {
  Watched watched;
  watched.start();
  ASSERT_TRUE(watched.bench.run(watched.bench.server.unload("m")));
  watched.repository.add("m", "linear", 2);
  watched.quiet();
  EXPECT_THAT(watched.versions(), IsEmpty());
  ASSERT_TRUE(watched.bench.run(watched.bench.server.load("m", {.config = "{}"})));
  watched.repository.add("m", "linear", 3);
  watched.quiet();
  EXPECT_THAT(watched.versions(), ElementsAre(2));
  ASSERT_TRUE(watched.bench.run(watched.bench.server.load("m")));
  watched.repository.add("m", "linear", 4);
  watched.quiet();
  EXPECT_TRUE(
      watched.bench.until([&] { return watched.versions() == std::vector<std::int64_t>{4}; }));
}

TEST(RepositoryWatch, PollsWhereTheSystemGivesNoNotice) {
  Watched watched(false);
  watched.start();
  watched.repository.add("m", "linear", 2);
  watched.quiet();
  EXPECT_THAT(watched.versions(), ElementsAre(1));
  watched.bench.clock.advance(Seconds{15});
  EXPECT_TRUE(watched.bench.until([&] { return watched.versions().front() == 2; }));
}

}  // namespace
}  // namespace infiniedge::model
