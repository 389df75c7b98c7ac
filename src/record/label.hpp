// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "infiniedge/result.hpp"
#include "infiniedge/schema.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge::record {

/// How far data may spread. Stored and sent as a number; never renumber.
enum class DataClass : std::uint8_t { Public = 0, Internal = 1, Sensitive = 2, Restricted = 3 };

/// What sovereignty says about a batch. Jurisdictions, purposes and subject domains are bits whose
/// meaning the site's policy gives; bit 0 of the first two is "home" and "ops".
struct Label {
  std::uint64_t jurisdictions = 1;
  DataClass data_class = DataClass::Restricted;
  std::uint64_t purposes = 1;
  Seconds retention{0};  ///< Zero: no limit.
  std::uint64_t subjects = 0;
  bool operator==(const Label&) const = default;
};

/// The label of what is computed from both: never looser than either.
Label join(const Label& a, const Label& b);

/// Labels as numbers, so that each batch carries two bytes. Id 1 is Label{}.
///
/// Thread: its owner's.
/// Errors: Exhausted after 65,535 labels.
class LabelTable {
 public:
  LabelTable();
  Result<LabelId> intern(const Label& label);
  /// Restores a stored pair. Errors: Invalid if `id` is 0, or means something else already.
  Result<void> restore(LabelId id, const Label& label);
  /// The label of `id`; an unknown id reads as the strictest one there is: nothing is permitted.
  Label find(LabelId id) const;
  std::size_t size() const { return labels_.size(); }

 private:
  std::vector<Label> labels_;  ///< Index id − 1.
};

}  // namespace infiniedge::record
