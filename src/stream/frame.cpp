// SPDX-License-Identifier: Apache-2.0
#include "stream/frame.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "base/check.hpp"

namespace infiniedge::stream {
namespace {

Type computed_type(const Field& field) {
  return field.type == Type::Decimal ? Type::Float : field.type;
}

std::size_t kind_of(Type type) {
  if (type == Type::Float) return 1;
  return type == Type::String || type == Type::Bytes ? 2 : 0;
}

std::size_t length_of(const Column& column) {
  switch (column.values.index()) {
    case 0:
      return column.ints().size();
    case 1:
      return column.floats().size();
    default:
      return column.binary().size();
  }
}

/// A failure counts for what it spoils: where the result has a value all the same (an untaken
/// branch of CASE, COALESCE) nothing is wrong.
void inherit_errors(const Vec& from, std::size_t rows, Vec& to) {
  if (from.errors.empty()) return;
  for (const auto row : from.errors) {
    if (row < rows && to.null(row)) to.errors.push_back(row);
  }
  std::sort(to.errors.begin(), to.errors.end());
  to.errors.erase(std::unique(to.errors.begin(), to.errors.end()), to.errors.end());
}

bool well_formed_column(const Field& field, const Column& column, std::size_t rows) {
  if (column.values.index() != kind_of(field.type) || length_of(column) != rows) return false;
  return column.nulls.empty() || column.nulls.size() == rows;
}

}  // namespace

NodeKey key_of(std::string_view text) {
  const auto hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

bool well_formed(const Batch& batch) {
  const auto rows = batch.rows();
  if (!batch.schema || batch.columns.size() != batch.schema->fields.size()) return false;
  if (batch.device.size() != rows || batch.quality.size() != rows) return false;
  for (const auto device : batch.device) {
    if (device >= batch.devices.size()) return false;
  }
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    if (!well_formed_column(batch.schema->fields[i], batch.columns[i], rows)) return false;
  }
  return true;
}

Frame::Frame(std::shared_ptr<const Batch> batch, const Schema& expected)
    : batch_(std::move(batch)), rows_(batch_->rows()), base_(expected.fields.size()) {
  loaded_.resize(base_);
  if (batch_->schema.get() != &expected) match_columns(expected);
}

void Frame::match_columns(const Schema& expected) {
  const auto& actual = batch_->schema->fields;
  source_.reserve(base_);
  types_.reserve(base_);
  for (std::size_t i = 0; i < base_; ++i) {
    const auto& want = expected.fields[i];
    // Usually the column is where it was; names decide.
    auto at = i < actual.size() && actual[i].name == want.name ? std::optional(i)
                                                               : batch_->schema->find(want.name);
    if (at && computed_type(actual[*at]) != computed_type(want)) at.reset();
    source_.push_back(at ? static_cast<std::ptrdiff_t>(*at) : -1);
    types_.push_back(computed_type(want));
  }
}

Frame::Frame(Frame& parent, std::vector<std::uint32_t> rows)
    : batch_(parent.batch_),
      parent_(&parent),
      picked_(std::move(rows)),
      rows_(picked_.size()),
      base_(parent.base_ + parent.added_.size()) {
  origin_.reserve(rows_);
  for (const auto row : picked_) origin_.push_back(static_cast<std::uint32_t>(parent.origin(row)));
  loaded_.resize(base_);
}

Frame::Frame(Frame& parent)
    : batch_(parent.batch_),
      parent_(&parent),
      all_(true),
      origin_(parent.origin_),
      rows_(parent.rows_),
      base_(parent.base_ + parent.added_.size()) {}

Frame::Frame(std::shared_ptr<const Batch> batch)
    : batch_(std::move(batch)), rows_(batch_->rows()) {}

void Frame::put(std::size_t index, Vec column) {
  sparse_.insert_or_assign(index, std::move(column));
}

void Frame::add(Vec column) { added_.push_back(std::make_unique<Vec>(std::move(column))); }

const Vec& Frame::column(std::size_t index) {
  if (!sparse_.empty()) {
    if (const auto found = sparse_.find(index); found != sparse_.end()) return found->second;
  }
  if (index >= base_) {
    INFINIEDGE_CHECK(index - base_ < added_.size());
    return *added_[index - base_];
  }
  return all_ ? parent_->column(index) : base_column(index);
}

const Vec& Frame::base_column(std::size_t index) {
  auto& slot = loaded_[index];
  if (slot) return *slot;
  if (parent_ != nullptr) {
    slot = std::make_unique<Vec>(parent_->column(index).gather(picked_));
    return *slot;
  }
  const auto at = source_.empty() ? static_cast<std::ptrdiff_t>(index) : source_[index];
  if (at >= 0) {
    const auto i = static_cast<std::size_t>(at);
    slot = std::make_unique<Vec>(load(batch_->schema->fields[i], batch_->columns[i], rows_));
  } else {
    slot = std::make_unique<Vec>(Vec::of_constant(types_[index], std::monostate{}));
  }
  return *slot;
}

Vec Frame::special(Node::Kind kind) const {
  auto out = Vec::make(kind == Node::Kind::Device ? Type::String : Type::Int, rows_);
  for (std::size_t i = 0; i < rows_; ++i) {
    if (kind == Node::Kind::Device) {
      out.own_text.push_back(device(i));
    } else {
      out.own_ints.push_back(kind == Node::Kind::Time ? ts(i)
                                                      : static_cast<std::int64_t>(quality(i)));
    }
  }
  return out;
}

Vec Frame::compute(const Node& node) {
  if (node.kind != Node::Kind::Call) return special(node.kind);
  std::vector<const Vec*> values;
  values.reserve(node.args.size());
  for (const auto& arg : node.args) values.push_back(&eval(*arg));
  auto out = node.kernel(Args{values, rows_});
  for (const auto* value : values) inherit_errors(*value, rows_, out);
  return out;
}

const Vec& Frame::eval(const Node& node) {
  if (node.kind == Node::Kind::Constant) return node.value;
  if (node.kind == Node::Kind::Column) return column(node.column);
  if (all_ && !node.local) return parent_->eval(node);
  if (const auto found = memo_.find(node.key); found != memo_.end()) return *found->second;
  auto value = std::make_unique<Vec>(compute(node));
  return *memo_.emplace(node.key, std::move(value)).first->second;
}

}  // namespace infiniedge::stream
