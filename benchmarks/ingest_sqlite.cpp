// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "ingest.hpp"

namespace infiniedge::benchmarks {
namespace {

using Steady = std::chrono::steady_clock;

double since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

class Peer {
 public:
  explicit Peer(const Work& work) : work_(work) {
    must(sqlite3_open((work.dir + "/peer.db").c_str(), &db_));
    execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
    execute(
        "CREATE TABLE g1(device INTEGER, ts INTEGER, v0 REAL, v1 REAL, v2 REAL, v3 REAL, "
        "v4 REAL)");
    must(sqlite3_prepare_v2(db_, "INSERT INTO g1 VALUES(?,?,?,?,?,?,?)", -1, &insert_, nullptr));
    must(sqlite3_prepare_v2(db_, "BEGIN IMMEDIATE", -1, &begin_, nullptr));
    must(sqlite3_prepare_v2(db_, "COMMIT", -1, &commit_, nullptr));
  }

  Leg run() {
    drain(1, work_.warm_up);
    leg_.commit_ms.clear();
    next_ = work_.warm_up;
    const auto before = disk_bytes_written(work_.dir);
    const auto start = Steady::now();
    drain(work_.producers, work_.commits.size());
    leg_.seconds = since(start);
    for (sqlite3_stmt* statement : {insert_, begin_, commit_}) sqlite3_finalize(statement);
    must(sqlite3_close(db_));
    leg_.total_seconds = since(start);
    leg_.disk_bytes = disk_bytes_written(work_.dir) - before;
    return std::move(leg_);
  }

 private:
  void must(int code) {
    if (code == SQLITE_OK || code == SQLITE_DONE) return;
    std::fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(db_));
    std::exit(1);
  }
  void execute(const char* sql) { must(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  void step(sqlite3_stmt* statement) {
    must(sqlite3_step(statement));
    must(sqlite3_reset(statement));
  }

  void drain(int count, std::size_t end) {
    end_ = end;
    deadline_ = Steady::now() + work_.longest;
    std::vector<std::thread> producers;
    for (int i = 0; i < count; ++i) producers.emplace_back([this] { produce(); });
    for (auto& producer : producers) producer.join();
  }

  void produce() {
    while (true) {
      const auto start = Steady::now();
      const std::lock_guard turn(mutex_);
      if (next_ == end_ || start > deadline_) return;
      store(work_.commits[next_++]);
      leg_.commit_ms.push_back(since(start) * 1e3);
    }
  }

  void store(const Batch& batch) {
    step(begin_);
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      sqlite3_bind_int64(insert_, 1, batch.device[row]);
      sqlite3_bind_int64(insert_, 2, batch.ts[row]);
      for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        const auto hundredths = static_cast<double>(batch.columns[i].ints()[row]);
        sqlite3_bind_double(insert_, static_cast<int>(3 + i), hundredths / 100);
      }
      step(insert_);
    }
    step(commit_);
  }

  const Work& work_;
  sqlite3* db_ = nullptr;
  sqlite3_stmt *insert_ = nullptr, *begin_ = nullptr, *commit_ = nullptr;
  std::mutex mutex_;
  Leg leg_;
  std::size_t next_ = 0, end_ = 0;
  Steady::time_point deadline_;
};

}  // namespace

Leg ingest_sqlite(const Work& work) { return Peer(work).run(); }

}  // namespace infiniedge::benchmarks
