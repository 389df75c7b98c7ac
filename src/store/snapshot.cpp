// SPDX-License-Identifier: Apache-2.0
#include "store/snapshot.hpp"

#include <algorithm>

namespace infiniedge::store {

const StreamInfo* Snapshot::stream(StreamId id) const {
  const auto found = std::find_if(streams.begin(), streams.end(),
                                  [id](const StreamInfo& each) { return each.id == id; });
  return found != streams.end() ? &*found : nullptr;
}

const TableView* Snapshot::table(TableId id) const {
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [id](const TableView& each) { return each.info.id == id; });
  return found != tables.end() ? &*found : nullptr;
}

}  // namespace infiniedge::store
