// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stream/node.hpp"

namespace infiniedge::stream {

/// Times beyond are a device's mistake.
constexpr std::int64_t kMaxTime = std::int64_t{1} << 60;

/// Rows that expressions are computed over, each expression once: what two places or two rules
/// ask for is shared. Columns are those of a batch, of some of another frame's rows, or given.
///
/// Flow:    batch -> [Frame] -> Vec
/// Thread:  one shard; short-lived.
/// Owner:   whoever processes the batch. A selection must not outlive its parent.
class Frame {
 public:
  /// Columns of `expected`, found in the batch by name where its schema differs; one that is
  /// missing or of another type is NULL.
  Frame(std::shared_ptr<const Batch> batch, const Schema& expected);
  /// Some rows of `parent`, in order.
  Frame(Frame& parent, std::vector<std::uint32_t> rows);
  /// All rows of `parent`, with own added columns.
  explicit Frame(Frame& parent);
  /// Rows without columns yet: results of windows, rows waiting for a model.
  explicit Frame(std::shared_ptr<const Batch> batch);

  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  std::size_t rows() const { return rows_; }
  const Vec& eval(const Node& node);
  /// Appends a column; its index is the number of columns before.
  void add(Vec column);
  /// Gives a column of any index; for frames that hold few of many.
  void put(std::size_t index, Vec column);
  const Vec& column(std::size_t index);

  const Batch& batch() const { return *batch_; }
  const std::shared_ptr<const Batch>& shared_batch() const { return batch_; }
  /// Row of batch() that row `row` stands for.
  std::size_t origin(std::size_t row) const { return origin_.empty() ? row : origin_[row]; }
  std::string_view device(std::size_t row) const { return batch_->device_of(origin(row)); }
  std::uint32_t device_id(std::size_t row) const { return batch_->device[origin(row)]; }
  /// Clamped, so that differences and sums of times fit.
  std::int64_t ts(std::size_t row) const {
    return std::clamp(batch_->ts[origin(row)], -kMaxTime, kMaxTime);
  }
  Quality quality(std::size_t row) const { return batch_->quality[origin(row)]; }

 private:
  const Vec& base_column(std::size_t index);
  Vec special(Node::Kind kind) const;
  Vec compute(const Node& node);
  void match_columns(const Schema& expected);

  std::shared_ptr<const Batch> batch_;
  Frame* parent_ = nullptr;
  bool all_ = false;                   // all rows of the parent
  std::vector<std::uint32_t> picked_;  // rows of the parent
  std::vector<std::uint32_t> origin_;  // rows of the batch; empty: the same
  std::size_t rows_ = 0;
  std::size_t base_ = 0;                // columns before the added ones
  std::vector<std::ptrdiff_t> source_;  // base column -> batch column, −1: none
  std::vector<Type> types_;             // of base columns, for those without source
  std::vector<std::unique_ptr<Vec>> loaded_, added_;
  std::map<std::size_t, Vec> sparse_;
  std::unordered_map<NodeKey, std::unique_ptr<Vec>> memo_;
};

/// Is every column as long as the batch and of its field's kind? Batches come from connectors.
bool well_formed(const Batch& batch);

}  // namespace infiniedge::stream
