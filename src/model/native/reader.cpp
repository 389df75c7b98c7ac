// SPDX-License-Identifier: Apache-2.0
#include "model/native/reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/suggest.hpp"
#include "model/native/cursor.hpp"

namespace infiniedge::model::native {
namespace {

constexpr std::string_view kFormat = "infiniedge-native/1";
constexpr std::int64_t kMaxWidth = 65'536;  // Features, outputs, width of a layer.
constexpr std::size_t kMaxLayers = 64;
constexpr std::size_t kMaxTrees = 65'536;
constexpr std::size_t kMaxNodes = 1U << 24;  // Of one tree; the file's size bounds the sum.
constexpr std::size_t kMaxRules = 65'536;

using Read = std::function<Result<void>(const Cursor&)>;

/// A word out of a list, as its position.
Result<std::size_t> word(const Cursor& at, std::span<const std::string_view> words) {
  auto given = at.text();
  if (!given) return std::move(given).error();
  const auto found = std::find(words.begin(), words.end(), *given);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  const std::vector<std::string> names(words.begin(), words.end());
  const auto near = base::suggest(given->substr(0, 64), names);
  return at.error(fmt::format("does not take '{}'; {}", given->substr(0, 64),
                              near ? fmt::format("did you mean '{}'?", *near)
                                   : fmt::format("it is one of {}", fmt::join(names, ", "))));
}

Read activation(Activation& out) {
  return [&out](const Cursor& at) -> Result<void> {
    constexpr std::string_view kWords[] = {"none", "relu", "tanh", "sigmoid", "softmax"};
    const auto found = word(at, kWords);
    if (!found) return found.error();
    out = static_cast<Activation>(*found);
    return {};
  };
}

Read name(std::string& out) {
  return [&out](const Cursor& at) -> Result<void> {
    auto text = at.text();
    if (!text) return std::move(text).error();
    if (text->empty() || text->size() > 255) return at.error("takes a name of 1 to 255 bytes");
    out = std::move(*text);
    return {};
  };
}

Read width(std::size_t& out) {
  return [&out](const Cursor& at) -> Result<void> {
    const auto n = at.integer(1, kMaxWidth);
    if (!n) return n.error();
    out = static_cast<std::size_t>(*n);
    return {};
  };
}

Read number(double& out) {
  return [&out](const Cursor& at) -> Result<void> {
    const auto value = at.number();
    if (!value) return value.error();
    out = *value;
    return {};
  };
}

Read exactly(std::size_t count, std::vector<float>& out) {
  return [count, &out](const Cursor& at) { return at.floats(count, out); };
}

Result<void> read_feature(const Cursor& at, const Model& model, std::int64_t& out) {
  const auto value = at.integer(0, static_cast<std::int64_t>(model.features) - 1);
  if (!value) return value.error();
  out = *value;
  return {};
}

Result<Layer> read_layer(const Cursor& at, std::size_t inputs) {
  Layer layer{.inputs = inputs};
  const Read rows = [&](const Cursor& list) {
    return list.list(1, kMaxWidth,
                     [&](const Cursor& row) { return row.floats(inputs, layer.weights); });
  };
  const Read bias = [&](const Cursor& list) { return list.floats(list.size(), layer.bias); };
  const Cursor::Member members[] = {{"weights", true, rows},
                                    {"bias", false, bias},
                                    {"activation", false, activation(layer.activation)}};
  INFINIEDGE_TRY(at.object(members));
  const auto outputs = layer.weights.size() / inputs;
  if (layer.bias.empty()) layer.bias.resize(outputs);
  if (layer.bias.size() == outputs) return layer;
  return at.error(
      fmt::format("'bias' has {} numbers and 'weights' {} rows; there is one of each "
                  "for an output",
                  layer.bias.size(), outputs));
}

Result<void> read_layers(const Cursor& at, Model& model) {
  Network network;
  auto inputs = model.features;
  INFINIEDGE_TRY(at.list(1, kMaxLayers, [&](const Cursor& item) -> Result<void> {
    auto layer = read_layer(item, inputs);
    if (!layer) return std::move(layer).error();
    inputs = layer->outputs();
    network.layers.push_back(std::move(*layer));
    return {};
  }));
  if (inputs != model.values) {
    return at.error(fmt::format("the last layer has {} outputs, but $.output.values is {}", inputs,
                                model.values));
  }
  model.kind = std::move(network);
  return {};
}

/// Either {feature, threshold, left, right, missing?} or {value}.
Result<void> read_node(const Cursor& at, const Model& model, std::int64_t index, std::int64_t count,
                       Tree& tree) {
  TreeNode node;
  std::int64_t feature = -1, left = 0, right = 0;
  std::optional<double> threshold;
  std::size_t missing = 1;
  const auto from = tree.values.size();
  const auto child = [&](std::int64_t& out) -> Read {
    return [&out, index, count](const Cursor& c) -> Result<void> {
      const auto value = c.integer(index + 1, count - 1);
      if (!value) {
        return c.error(fmt::format("takes the index of a node behind this one, {} to {}", index + 1,
                                   count - 1));
      }
      out = *value;
      return {};
    };
  };
  const Cursor::Member members[] = {
      {"feature", false, [&](const Cursor& c) { return read_feature(c, model, feature); }},
      {"threshold", false, [&](const Cursor& c) { return number(threshold.emplace())(c); }},
      {"left", false, child(left)},
      {"right", false, child(right)},
      {"missing", false,
       [&](const Cursor& c) -> Result<void> {
         constexpr std::string_view kSides[] = {"left", "right"};
         const auto side = word(c, kSides);
         if (!side) return side.error();
         missing = *side;
         return {};
       }},
      {"value", false, exactly(model.values, tree.values)}};
  INFINIEDGE_TRY(at.object(members));
  const bool leaf = tree.values.size() > from;
  const bool complete = feature >= 0 && threshold && left > 0 && right > 0;
  if (leaf ? feature >= 0 || threshold || left > 0 || right > 0 : !complete) {
    return at.error("takes 'feature', 'threshold', 'left' and 'right', or 'value' alone");
  }
  node.feature = static_cast<std::int32_t>(feature);
  node.threshold = threshold.value_or(0);
  node.left = static_cast<std::uint32_t>(leaf ? from : static_cast<std::size_t>(left));
  node.right = static_cast<std::uint32_t>(right);
  node.missing_left = missing == 0;
  tree.nodes.push_back(node);
  return {};
}

Result<Tree> read_tree(const Cursor& at, const Model& model) {
  Tree tree;
  const Read nodes = [&](const Cursor& list) {
    const auto count = static_cast<std::int64_t>(list.size());
    std::int64_t index = 0;
    return list.list(1, kMaxNodes, [&](const Cursor& node) {
      return read_node(node, model, index++, count, tree);
    });
  };
  const Cursor::Member members[] = {{"nodes", true, nodes}};
  INFINIEDGE_TRY(at.object(members));
  return tree;
}

Result<void> read_forest(const Cursor& at, Model& model) {
  Forest forest;
  const Read trees = [&](const Cursor& list) {
    return list.list(1, kMaxTrees, [&](const Cursor& item) -> Result<void> {
      auto tree = read_tree(item, model);
      if (!tree) return std::move(tree).error();
      forest.trees.push_back(std::move(*tree));
      return {};
    });
  };
  const Read combine = [&](const Cursor& c) -> Result<void> {
    constexpr std::string_view kWords[] = {"sum", "mean"};
    const auto found = word(c, kWords);
    if (!found) return found.error();
    forest.mean = *found == 1;
    return {};
  };
  const Cursor::Member members[] = {{"trees", true, trees},
                                    {"combine", true, combine},
                                    {"base", false, exactly(model.values, forest.base)},
                                    {"activation", false, activation(forest.activation)}};
  INFINIEDGE_TRY(at.object(members));
  if (forest.base.empty()) forest.base.resize(model.values);
  model.kind = std::move(forest);
  return {};
}

Result<Condition> read_condition(const Cursor& at, const Model& model) {
  Condition out;
  std::int64_t feature = 0;
  int limits = 0;
  const auto limit = [&](Condition::Is is) -> Read {
    return [&, is](const Cursor& c) {
      out.is = is;
      ++limits;
      return number(out.limit)(c);
    };
  };
  const Cursor::Member members[] = {
      {"feature", true, [&](const Cursor& c) { return read_feature(c, model, feature); }},
      {"above", false, limit(Condition::Is::Above)},
      {"at_least", false, limit(Condition::Is::AtLeast)},
      {"below", false, limit(Condition::Is::Below)},
      {"at_most", false, limit(Condition::Is::AtMost)}};
  INFINIEDGE_TRY(at.object(members));
  if (limits != 1) return at.error("takes one of 'above', 'at_least', 'below', 'at_most'");
  out.feature = static_cast<std::uint32_t>(feature);
  return out;
}

Result<Rules::Rule> read_rule(const Cursor& at, const Model& model) {
  Rules::Rule rule;
  const Read when = [&](const Cursor& list) {
    return list.list(1, 256, [&](const Cursor& item) -> Result<void> {
      const auto condition = read_condition(item, model);
      if (!condition) return condition.error();
      rule.when.push_back(*condition);
      return {};
    });
  };
  const Cursor::Member members[] = {{"when", true, when},
                                    {"value", true, exactly(model.values, rule.value)}};
  INFINIEDGE_TRY(at.object(members));
  return rule;
}

Result<void> read_rules(const Cursor& at, Model& model) {
  Rules rules;
  const Read list = [&](const Cursor& items) {
    return items.list(1, kMaxRules, [&](const Cursor& item) -> Result<void> {
      auto rule = read_rule(item, model);
      if (!rule) return std::move(rule).error();
      rules.rules.push_back(std::move(*rule));
      return {};
    });
  };
  const Cursor::Member members[] = {{"rules", true, list},
                                    {"otherwise", true, exactly(model.values, rules.otherwise)}};
  INFINIEDGE_TRY(at.object(members));
  model.kind = std::move(rules);
  return {};
}

Result<void> read_standardise(const Cursor& at, Model& model) {
  const Cursor::Member members[] = {{"mean", true, exactly(model.features, model.mean)},
                                    {"scale", true, exactly(model.features, model.scale)}};
  INFINIEDGE_TRY(at.object(members));
  if (std::find(model.scale.begin(), model.scale.end(), 0.0F) == model.scale.end()) return {};
  return at.error("'scale' holds a zero, and features are divided by it");
}

Result<void> read_format(const Cursor& at) {
  const auto format = at.text();
  if (format && *format == kFormat) return {};
  return at.error(fmt::format("takes \"{}\", the only version there is", kFormat));
}

/// One side's name and width.
Read read_port(std::string_view count, std::string& called, std::size_t& size) {
  return [count, &called, &size](const Cursor& at) {
    const Cursor::Member members[] = {{"name", true, name(called)}, {count, true, width(size)}};
    return at.object(members);
  };
}

/// Widths come first, wherever they stand in the file: the rest is checked against them.
Result<void> read_sides(const Cursor& root, Model& model) {
  const Read later = [](const Cursor&) -> Result<void> { return {}; };
  const Cursor::Member members[] = {
      {"format", true, read_format},
      {"input", true, read_port("features", model.input_name, model.features)},
      {"output", true, read_port("values", model.output_name, model.values)},
      {"standardise", false, later},
      {"layers", false, later},
      {"forest", false, later},
      {"thresholds", false, later}};
  return root.object(members);
}

Result<void> read_kind(const Cursor& root, Model& model) {
  int kinds = 0;
  const Read done = [](const Cursor&) -> Result<void> { return {}; };
  const auto kind = [&](Result<void> (*read)(const Cursor&, Model&)) -> Read {
    return [&, read](const Cursor& at) {
      ++kinds;
      return read(at, model);
    };
  };
  const Cursor::Member members[] = {
      {"format", true, done},
      {"input", true, done},
      {"output", true, done},
      {"standardise", false, [&](const Cursor& at) { return read_standardise(at, model); }},
      {"layers", false, kind(read_layers)},
      {"forest", false, kind(read_forest)},
      {"thresholds", false, kind(read_rules)}};
  INFINIEDGE_TRY(root.object(members));
  if (kinds == 1) return {};
  return root.error("takes one of 'layers', 'forest' and 'thresholds'");
}

}  // namespace

Result<Model> read_model(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (const auto failed = parser.parse(json.data(), json.size()).get(document)) {
    return Error{Code::Invalid, fmt::format("$: not JSON: {}", simdjson::error_message(failed))};
  }
  const Cursor root(document);
  Model model;
  INFINIEDGE_TRY(read_sides(root, model));
  INFINIEDGE_TRY(read_kind(root, model));
  return model;
}

}  // namespace infiniedge::model::native
