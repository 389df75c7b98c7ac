// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/testing/sim_disk.hpp"
#include "store/catalogue.hpp"

namespace infiniedge::store::testing {

/// Catalogue states over time, each with the number of disk operations that had happened: a crash
/// of the simulated disk at that point finds that state. SQLite's own durability is taken as given.
///
/// Thread: any.
/// Owner:  a test; outlives the catalogues made from it.
class CatalogueHistory {
 public:
  explicit CatalogueHistory(const runtime::testing::SimDisk& disk, CatalogueState start = {})
      : disk_(disk), states_{{0, std::move(start)}} {}

  /// `before`: a transaction made right at that point was not yet committed.
  CatalogueState at(std::size_t operation, bool before = false) const;
  CatalogueState now() const;
  void apply(const CatalogueChange& change);

 private:
  const runtime::testing::SimDisk& disk_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::size_t, CatalogueState>> states_;
};

/// A catalogue whose transactions land in `history`.
std::unique_ptr<Catalogue> memory_catalogue(CatalogueHistory& history);

}  // namespace infiniedge::store::testing
