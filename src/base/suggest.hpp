// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace infiniedge::base {

/// A name that could have been meant.
struct Candidate {
  std::string_view name;
  std::span<const std::string_view> aliases{};
  bool required_and_missing = false;  ///< Preferred by half an edit.
};

/// Lower case, letters and digits only: `maxBatch`, `max-batch` and `max_batch` fold alike.
std::string fold(std::string_view name);

/// The most likely intended name: equal fold, then alias, then least optimal-string-alignment
/// distance between folds, at most max(1, n/4), n the longer length; ties by longer common
/// prefix, then alphabet. Nothing: no candidate is near.
std::optional<std::string> suggest(std::string_view wrong, std::span<const Candidate> candidates);

/// The same over plain names.
std::optional<std::string> suggest(std::string_view wrong,
                                   const std::vector<std::string>& candidates);

}  // namespace infiniedge::base
