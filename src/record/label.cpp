// SPDX-License-Identifier: Apache-2.0
#include "record/label.hpp"

#include <algorithm>

namespace infiniedge::record {
namespace {

constexpr std::size_t kMaxLabels = 65'535;
// No jurisdiction, no purpose, every subject domain: no exit's rule can hold.
constexpr Label kNothing{.jurisdictions = 0,
                         .data_class = DataClass::Restricted,
                         .purposes = 0,
                         .retention = Seconds{0},
                         .subjects = ~std::uint64_t{0}};

Seconds shorter(Seconds a, Seconds b) {
  if (a == Seconds{0}) return b;
  if (b == Seconds{0}) return a;
  return std::min(a, b);
}

}  // namespace

Label join(const Label& a, const Label& b) {
  return {.jurisdictions = a.jurisdictions & b.jurisdictions,
          .data_class = std::max(a.data_class, b.data_class),
          .purposes = a.purposes & b.purposes,
          .retention = shorter(a.retention, b.retention),
          .subjects = a.subjects | b.subjects};
}

LabelTable::LabelTable() : labels_{Label{}} {}

Result<LabelId> LabelTable::intern(const Label& label) {
  const auto found = std::find(labels_.begin(), labels_.end(), label);
  if (found == labels_.end()) {
    if (labels_.size() >= kMaxLabels) {
      return Error{Code::Exhausted, "65,535 labels are in use; use fewer distinct labels"};
    }
    labels_.push_back(label);
    return static_cast<LabelId>(labels_.size());
  }
  return static_cast<LabelId>(found - labels_.begin() + 1);
}

Result<void> LabelTable::restore(LabelId id, const Label& label) {
  const auto index = static_cast<std::size_t>(id);
  if (index == 0) return Error{Code::Invalid, "label 0 does not exist"};
  if (index > labels_.size()) labels_.resize(index, kNothing);
  Label& slot = labels_[index - 1];
  if (slot == label) return {};
  if (slot != kNothing) {
    return Error{Code::Invalid, "label " + std::to_string(index) + " means something else already"};
  }
  slot = label;
  return {};
}

Label LabelTable::find(LabelId id) const {
  const auto index = static_cast<std::size_t>(id);
  return index == 0 || index > labels_.size() ? kNothing : labels_[index - 1];
}

}  // namespace infiniedge::record
