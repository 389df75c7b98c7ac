// SPDX-License-Identifier: Apache-2.0
#include "stream/predicate_index.hpp"

#include <algorithm>
#include <utility>

namespace infiniedge::stream {

void PredicateIndex::add(std::size_t slot, const IndexTerm& term) {
  terms_[slot] = term;
  stale_ = true;
}

void PredicateIndex::remove(std::size_t slot) {
  terms_.erase(slot);
  stale_ = true;
}

/// Rules come and go rarely, and often thousands at once: sorted when next needed.
void PredicateIndex::rebuild() {
  columns_.clear();
  std::size_t slots = 0;
  for (const auto& [slot, term] : terms_) {
    slots = std::max(slots, slot + 1);
    auto& column = columns_[term.column];
    const auto id = static_cast<std::uint32_t>(slot);
    if (term.op != IndexTerm::Op::Equal) {
      const auto kind = static_cast<std::size_t>(term.op) - 1;
      column.ranges[kind].push_back({std::get<double>(term.values[0]), id});
      continue;
    }
    for (const auto& value : term.values) {
      auto& slots_of = std::holds_alternative<double>(value)
                           ? column.numbers[std::get<double>(value)]
                           : column.texts[std::get<std::string>(value)];
      // x IN (1, 1) is one match.
      if (slots_of.empty() || slots_of.back() != id) slots_of.push_back(id);
    }
  }
  for (auto& [name, column] : columns_) {
    for (auto& range : column.ranges) {
      std::sort(range.begin(), range.end(),
                [](const Threshold& a, const Threshold& b) { return a.value < b.value; });
    }
  }
  rows_.resize(slots);
  stale_ = false;
}

void PredicateIndex::hit(std::uint32_t slot, std::uint32_t row) {
  auto& rows = rows_[slot];
  if (rows.empty()) touched_.push_back(slot);
  rows.push_back(row);
}

void PredicateIndex::match_number(const Column& column, double value, std::uint32_t row) {
  const auto above = [](double v, const Threshold& t) { return v < t.value; };
  const auto below = [](const Threshold& t, double v) { return t.value < v; };
  const auto& [less, less_equal, greater, greater_equal] = column.ranges;
  // value < t: all thresholds above it; value <= t: those not below.
  for (auto t = std::upper_bound(less.begin(), less.end(), value, above); t != less.end(); ++t) {
    hit(t->slot, row);
  }
  for (auto t = std::lower_bound(less_equal.begin(), less_equal.end(), value, below);
       t != less_equal.end(); ++t) {
    hit(t->slot, row);
  }
  // value > t: all thresholds below it; value >= t: those not above.
  const auto end = std::lower_bound(greater.begin(), greater.end(), value, below);
  for (auto t = greater.begin(); t != end; ++t) hit(t->slot, row);
  const auto end_equal = std::upper_bound(greater_equal.begin(), greater_equal.end(), value, above);
  for (auto t = greater_equal.begin(); t != end_equal; ++t) hit(t->slot, row);
  if (column.numbers.empty()) return;
  if (const auto found = column.numbers.find(value); found != column.numbers.end()) {
    for (const auto slot : found->second) hit(slot, row);
  }
}

void PredicateIndex::match_column(const Column& column, const Vec& values, std::size_t rows) {
  std::string text;
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (values.null(row)) continue;
    if (!values.is_text()) {
      const double value =
          values.is_float() ? values.number(row) : static_cast<double>(values.integer(row));
      match_number(column, value, row);
      continue;
    }
    text.assign(values.view(row));
    if (const auto found = column.texts.find(text); found != column.texts.end()) {
      for (const auto slot : found->second) hit(slot, row);
    }
  }
}

void PredicateIndex::match(Frame& frame, const Schema& schema,
                           const std::function<void(std::size_t slot, Rows rows)>& found) {
  if (stale_) rebuild();
  for (const auto& [name, column] : columns_) {
    if (const auto at = schema.find(name)) match_column(column, frame.column(*at), frame.rows());
  }
  std::sort(touched_.begin(), touched_.end());
  const auto touched = std::move(touched_);
  touched_.clear();
  // A callback may lead back here with the rows of another batch of the same stream.
  std::vector<std::pair<std::size_t, Rows>> matches;
  matches.reserve(touched.size());
  for (const auto slot : touched) matches.emplace_back(slot, std::exchange(rows_[slot], {}));
  for (auto& [slot, rows] : matches) found(slot, std::move(rows));
}

}  // namespace infiniedge::stream
