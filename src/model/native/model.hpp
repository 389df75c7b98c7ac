// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace infiniedge::model::native {

enum class Activation : std::uint8_t { None, Relu, Tanh, Sigmoid, Softmax };

/// y = activation(W x + b). `weights` holds one row of `inputs` numbers for each output.
struct Layer {
  std::size_t inputs = 0;
  std::vector<float> weights, bias;
  Activation activation = Activation::None;
  std::size_t outputs() const { return bias.size(); }
};

/// Linear and logistic models are networks of one layer.
struct Network {
  std::vector<Layer> layers;
};

/// A leaf has feature −1, and `left` is where its values start. Children stand behind their
/// parent, so that every walk ends.
struct TreeNode {
  std::int32_t feature = -1;
  std::uint32_t left = 0, right = 0;
  double threshold = 0;  ///< x ≤ threshold goes left, compared as scikit-learn does.
  bool missing_left = false;
};

struct Tree {
  std::vector<TreeNode> nodes;
  std::vector<float> values;
};

/// activation(base + Σ trees), or with the mean of the trees.
struct Forest {
  std::vector<Tree> trees;
  std::vector<float> base;
  bool mean = false;
  Activation activation = Activation::None;
};

struct Condition {
  enum class Is : std::uint8_t { Above, AtLeast, Below, AtMost };
  std::uint32_t feature = 0;
  Is is = Is::Above;
  double limit = 0;
};

/// The first rule all of whose conditions hold gives its values.
struct Rules {
  struct Rule {
    std::vector<Condition> when;
    std::vector<float> value;
  };
  std::vector<Rule> rules;
  std::vector<float> otherwise;
};

/// What one instance needs while it computes; made once, so that a run allocates nothing.
struct Scratch {
  std::vector<float> row, next;
  std::vector<double> sum;
};

/// A model of docs/formats/native.md. A value, immutable once read; any thread.
struct Model {
  std::string input_name, output_name;
  std::size_t features = 0, values = 0;
  std::vector<float> mean, scale;  ///< Empty, or one a feature: x becomes (x − mean) / scale.
  std::variant<Network, Forest, Rules> kind;

  Scratch make_scratch() const;
  /// One row: scratch.row holds `features` numbers and is used up; `out` takes `values`.
  void evaluate(Scratch& scratch, float* out) const;
};

}  // namespace infiniedge::model::native
