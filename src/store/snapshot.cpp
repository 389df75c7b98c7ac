// SPDX-License-Identifier: Apache-2.0
#include "store/snapshot.hpp"

#include <algorithm>

namespace infiniedge::store {

const StreamInfo* Snapshot::stream(StreamId id) const {
  const auto found = std::find_if(streams.begin(), streams.end(),
                                  [id](const StreamInfo& stream) { return stream.id == id; });
  return found == streams.end() ? nullptr : &*found;
}

const TableView* Snapshot::table(TableId id) const {
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [id](const TableView& table) { return table.info.id == id; });
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace infiniedge::store
