// SPDX-License-Identifier: Apache-2.0
#include "store/testing/memory_catalogue.hpp"

#include <algorithm>
#include <tuple>

namespace infiniedge::store::testing {
namespace {

/// Replaces the entry with the same key, or appends.
template <class T, class Key>
void put(std::vector<T>& entries, const std::type_identity_t<T>& entry, Key key) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const T& other) { return key(other) == key(entry); });
  if (found == entries.end()) {
    entries.push_back(entry);
  } else {
    *found = entry;
  }
}

void change_segments(CatalogueState& state, const CatalogueChange& change) {
  std::erase_if(state.segments, [&](const SegmentPtr& segment) {
    return std::find(change.drop_segments.begin(), change.drop_segments.end(), segment->id) !=
           change.drop_segments.end();
  });
  for (const SegmentPtr& segment : change.add_segments) {
    // A copy: the pointer itself would pin the file.
    put(state.segments, std::make_shared<const Segment>(*segment),
        [](const SegmentPtr& s) { return s->id; });
  }
  for (const auto& [table, lsn] : change.sealed_lsn) state.sealed_lsn[table] = lsn;
}

void change_state(CatalogueState& state, const CatalogueChange& change) {
  if (change.gateway != record::GatewayId{}) state.gateway = change.gateway;
  if (change.epoch != 0) state.epoch = change.epoch;
  if (change.durable_lsn != 0) state.durable_lsn = change.durable_lsn;
  for (const StreamInfo& stream : change.streams) {
    put(state.streams, stream, [](const StreamInfo& s) { return s.id; });
    put(state.schemas, std::pair(stream.id, stream.schema),
        [](const auto& s) { return std::pair(s.first, s.second->version); });
  }
  for (const TableInfo& table : change.tables) {
    put(state.tables, table, [](const TableInfo& t) { return t.id; });
  }
  for (const auto& [id, name] : change.devices) state.devices[id] = name;
  change_segments(state, change);
  for (const record::Gap& gap : change.gaps) {
    put(state.gaps, gap,
        [](const record::Gap& g) { return std::tuple(g.stream, g.epoch, g.from_seq, g.to_seq); });
  }
  for (const Cursor& cursor : change.cursors) {
    put(state.cursors, cursor, [](const Cursor& c) { return std::pair(c.peer, c.stream); });
  }
  for (const Cover& cover : change.covers) {
    std::erase_if(state.covers, [&](const Cover& other) {
      return other.stream == cover.stream && other.epoch == cover.epoch;
    });
  }
  state.covers.insert(state.covers.end(), change.covers.begin(), change.covers.end());
}

class MemoryCatalogue final : public Catalogue {
 public:
  explicit MemoryCatalogue(CatalogueHistory& history) : history_(history) {}
  Result<CatalogueState> load() override {
    CatalogueState state = history_.now();
    for (SegmentPtr& segment : state.segments) segment = std::make_shared<const Segment>(*segment);
    return state;
  }
  Result<void> apply(const CatalogueChange& change) override {
    history_.apply(change);
    return {};
  }

 private:
  CatalogueHistory& history_;
};

}  // namespace

CatalogueState CatalogueHistory::at(std::size_t operation, bool before) const {
  const std::scoped_lock lock(mutex_);
  const auto after =
      std::find_if(std::next(states_.begin()), states_.end(), [&](const auto& state) {
        return before ? state.first >= operation : state.first > operation;
      });
  return std::prev(after)->second;
}

CatalogueState CatalogueHistory::now() const {
  const std::scoped_lock lock(mutex_);
  return states_.back().second;
}

void CatalogueHistory::apply(const CatalogueChange& change) {
  const std::scoped_lock lock(mutex_);
  CatalogueState next = states_.back().second;
  change_state(next, change);
  states_.emplace_back(disk_.operations(), std::move(next));
}

std::unique_ptr<Catalogue> memory_catalogue(CatalogueHistory& history) {
  return std::make_unique<MemoryCatalogue>(history);
}

}  // namespace infiniedge::store::testing
