// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "infiniedge/batch.hpp"

namespace infiniedge::benchmarks {

/// What every contender gets: the same batches, each of which is one durable commit. The first
/// `warm_up` are stored by one producer and not measured: both contenders make files on their
/// first commits that they reuse from then on.
struct Work {
  std::vector<Batch> commits;
  std::size_t warm_up = 0;
  int producers = 1;
  std::string dir;                   ///< Fresh, its own.
  std::chrono::seconds longest{30};  ///< Warm-up and measurement each end then, done or not.
};

/// Thread: one leg runs at a time; producers are the contender's matter.
struct Leg {
  double seconds = 0;             ///< From the first commit begun to the last acknowledged.
  double total_seconds = 0;       ///< And until everything lies in its final form, closed.
  std::vector<double> commit_ms;  ///< Of every commit measured: fewer than asked if time ran out.
  std::uint64_t disk_bytes = 0;   ///< Written by the disk, until closed.
};

/// Ours: group-commit log, then Parquet segments; producers are coroutines of one shard.
Leg ingest_store(const Work& work);

/// SQLite, WAL, synchronous=FULL, a rowid table; a transaction and a prepared insert for each
/// commit. Producers are threads that take turns on one connection: several connections would
/// poll for the write lock and be slower. Closing checkpoints the WAL.
Leg ingest_sqlite(const Work& work);

/// What no store can beat: one page for each commit written over an old one of a file, and synced.
/// Takes part with one producer only.
Leg ingest_nothing(const Work& work);

/// Bytes that the disk under `path` has been told to write since it was started, everything
/// buffered written first.
std::uint64_t disk_bytes_written(const std::string& path);

}  // namespace infiniedge::benchmarks
