// SPDX-License-Identifier: Apache-2.0
#include "model/native/model.hpp"

#include <algorithm>
#include <cmath>

namespace infiniedge::model::native {
namespace {

/// In eight partial sums, which the compiler turns into vector instructions.
float dot(const float* a, const float* b, std::size_t n) {
  float part[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t k = 0; k < 8; ++k) part[k] += a[i + k] * b[i + k];
  }
  float sum = 0;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (const float p : part) sum += p;
  return sum;
}

void softmax(float* z, std::size_t n) {
  const float top = *std::max_element(z, z + n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += z[i] = std::exp(z[i] - top);
  for (std::size_t i = 0; i < n; ++i) z[i] = static_cast<float>(z[i] / sum);
}

void activate(Activation activation, float* z, std::size_t n) {
  switch (activation) {
    case Activation::None:
      return;
    case Activation::Relu:
      for (std::size_t i = 0; i < n; ++i) z[i] = z[i] < 0 ? 0 : z[i];  // NaN stays NaN.
      return;
    case Activation::Tanh:
      for (std::size_t i = 0; i < n; ++i) z[i] = std::tanh(z[i]);
      return;
    case Activation::Sigmoid:
      for (std::size_t i = 0; i < n; ++i) z[i] = 1 / (1 + std::exp(-z[i]));
      return;
    case Activation::Softmax:
      softmax(z, n);
  }
}

void evaluate_kind(const Network& network, Scratch& scratch, float* out) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const auto& layer = network.layers[l];
    float* to = l + 1 == network.layers.size() ? out : scratch.next.data();
    for (std::size_t i = 0; i < layer.outputs(); ++i) {
      to[i] = layer.bias[i] +
              dot(layer.weights.data() + i * layer.inputs, scratch.row.data(), layer.inputs);
    }
    activate(layer.activation, to, layer.outputs());
    std::swap(scratch.row, scratch.next);
  }
}

const float* leaf_of(const Tree& tree, const float* row) {
  const auto* node = tree.nodes.data();
  while (node->feature >= 0) {
    const double x = row[node->feature];
    const bool left = std::isnan(x) ? node->missing_left : x <= node->threshold;
    node = tree.nodes.data() + (left ? node->left : node->right);
  }
  return tree.values.data() + node->left;
}

void evaluate_kind(const Forest& forest, Scratch& scratch, float* out) {
  auto& sum = scratch.sum;
  std::fill(sum.begin(), sum.end(), 0.0);
  for (const auto& tree : forest.trees) {
    const float* leaf = leaf_of(tree, scratch.row.data());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += leaf[i];
  }
  const double weight = forest.mean ? 1.0 / static_cast<double>(forest.trees.size()) : 1.0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    out[i] = static_cast<float>(forest.base[i] + sum[i] * weight);
  }
  activate(forest.activation, out, sum.size());
}

bool holds(const Condition& condition, const float* row) {
  const double x = row[condition.feature];
  switch (condition.is) {
    case Condition::Is::Above:
      return x > condition.limit;
    case Condition::Is::AtLeast:
      return x >= condition.limit;
    case Condition::Is::Below:
      return x < condition.limit;
    case Condition::Is::AtMost:
      return x <= condition.limit;
  }
  return false;
}

void evaluate_kind(const Rules& rules, Scratch& scratch, float* out) {
  const auto found =
      std::find_if(rules.rules.begin(), rules.rules.end(), [&](const Rules::Rule& rule) {
        return std::all_of(rule.when.begin(), rule.when.end(),
                           [&](const auto& c) { return holds(c, scratch.row.data()); });
      });
  const auto& value = found == rules.rules.end() ? rules.otherwise : found->value;
  std::copy(value.begin(), value.end(), out);
}

}  // namespace

Scratch Model::make_scratch() const {
  Scratch out;
  auto width = features;
  if (const auto* network = std::get_if<Network>(&kind)) {
    for (const auto& layer : network->layers) width = std::max(width, layer.outputs());
  }
  out.row.resize(width);
  out.next.resize(width);
  out.sum.resize(values);
  return out;
}

void Model::evaluate(Scratch& scratch, float* out) const {
  for (std::size_t i = 0; i < mean.size(); ++i) {
    scratch.row[i] = (scratch.row[i] - mean[i]) / scale[i];
  }
  std::visit([&](const auto& k) { evaluate_kind(k, scratch, out); }, kind);
}

}  // namespace infiniedge::model::native
