// SPDX-License-Identifier: Apache-2.0
#pragma once

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
  std::string dir;  ///< Fresh, its own.

  std::size_t rows() const { return (commits.size() - warm_up) * commits.front().rows(); }
};

/// Thread: one leg runs at a time; producers are the contender's matter.
struct Leg {
  double seconds = 0;             ///< From the first commit begun to the last acknowledged.
  double total_seconds = 0;       ///< And until everything lies in its final form, closed.
  std::vector<double> commit_ms;  ///< Of every commit.
  std::uint64_t disk_bytes = 0;   ///< Written by the disk, until closed.
};

/// Ours: group-commit log, then Parquet segments; producers are coroutines of one shard.
Leg ingest_store(const Work& work);

/// SQLite, WAL, synchronous=FULL, a rowid table; a transaction and a prepared insert for each
/// commit. Producers are threads that take turns on one connection: several connections would
/// poll for the write lock and be slower. Closing checkpoints the WAL.
Leg ingest_sqlite(const Work& work);

/// Bytes that the disk under `path` has been told to write since it was started, everything
/// buffered written first.
std::uint64_t disk_bytes_written(const std::string& path);

}  // namespace infiniedge::benchmarks
