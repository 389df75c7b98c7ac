// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "infiniedge/result.hpp"
#include "infiniedge/tensor.hpp"

namespace infiniedge::model {

/// What a model said about one sample. A classifier: `probabilities` over the classes, and the
/// best of them; a regression: `value`, no label.
struct Answer {
  bool valid = true;                   ///< False: not finite.
  std::string label{};                 ///< Empty: a regression.
  double score = 0;                    ///< Probability of `label`; of a regression, the value.
  std::size_t index = 0;               ///< Of `label` among the classes.
  std::vector<float> probabilities{};  ///< Empty for a regression or where only a label came.
};

/// Reads the answers of `rows` samples: the output called `probabilities` or `logits`, else the
/// first floating one of shape [rows, K], else `label`. Rows in [0, 1] that sum to 1 ± 1e-3 are
/// probabilities; anything else goes through softmax. K = 1 is a regression.
/// `labels` names the classes; missing ones are called by their index.
/// Errors: Unsupported when no output has such a shape.
Result<std::vector<Answer>> read_answers(const std::vector<Tensor>& outputs, std::size_t rows,
                                         const std::vector<std::string>& labels);

}  // namespace infiniedge::model
