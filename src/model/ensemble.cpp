// SPDX-License-Identifier: Apache-2.0
#include "model/ensemble.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/suggest.hpp"

namespace infiniedge::model {
namespace {

Error at(const EnsembleStep& step, const std::string& what, Code code = Code::Invalid) {
  return {code, fmt::format("{}: {}", step.at, what)};
}

/// Numbers the tensors and finds who makes each.
class Layout {
 public:
  explicit Layout(const ModelConfig& config) : config_(config) {}

  Result<EnsembleGraph> make() {
    if (config_.inputs.empty() || config_.outputs.empty()) {
      return Error{Code::Invalid,
                   fmt::format("ensemble '{}' must declare its inputs and outputs", config_.name)};
    }
    for (const auto& input : config_.inputs) makers_[add(input.name)] = kGiven;
    INFINIEDGE_TRY(number_outputs());
    INFINIEDGE_TRY(number_inputs());
    for (const auto& output : config_.outputs) {
      const auto found = numbers_.find(output.name);
      if (found == numbers_.end()) {
        return Error{Code::Invalid, fmt::format("ensemble '{}': no step gives its output '{}'{}",
                                                config_.name, output.name, near(output.name))};
      }
      graph_.outputs.push_back(found->second);
    }
    INFINIEDGE_TRY(order());
    return std::move(graph_);
  }

 private:
  static constexpr std::size_t kGiven = SIZE_MAX;

  std::size_t add(const std::string& tensor) {
    const auto [it, fresh] = numbers_.emplace(tensor, graph_.tensors.size());
    if (fresh) graph_.tensors.push_back(tensor);
    return it->second;
  }
  std::string near(const std::string& name) const {
    const auto found = base::suggest(name, graph_.tensors);
    return found ? fmt::format("; did you mean '{}'?", *found) : "";
  }

  Result<void> number_outputs() {
    graph_.steps.resize(config_.steps.size());
    for (std::size_t i = 0; i < config_.steps.size(); ++i) {
      for (const auto& [name, tensor] : config_.steps[i].outputs) {
        const auto number = add(tensor);
        if (!makers_.emplace(number, i).second) {
          return at(config_.steps[i],
                    fmt::format("tensor '{}' is given already, by another step or as an input of "
                                "the ensemble",
                                tensor));
        }
        graph_.steps[i].outputs.push_back({name, number});
      }
    }
    return {};
  }

  Result<void> number_inputs() {
    for (std::size_t i = 0; i < config_.steps.size(); ++i) {
      for (const auto& [name, tensor] : config_.steps[i].inputs) {
        const auto found = numbers_.find(tensor);
        if (found == numbers_.end()) {
          return at(config_.steps[i], fmt::format("unknown tensor '{}': neither an input of the "
                                                  "ensemble nor given by a step{}",
                                                  tensor, near(tensor)));
        }
        graph_.steps[i].inputs.push_back({name, found->second});
      }
    }
    return {};
  }

  /// Kahn's algorithm; what is left over waits for itself.
  Result<void> order() {
    std::vector<bool> there(graph_.tensors.size()), done(graph_.steps.size());
    for (const auto& [tensor, maker] : makers_) there[tensor] = maker == kGiven;
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < graph_.steps.size(); ++i) {
        const auto& step = graph_.steps[i];
        const bool ready = std::all_of(step.inputs.begin(), step.inputs.end(),
                                       [&](const auto& edge) { return there[edge.tensor]; });
        if (done[i] || !ready) continue;
        for (const auto& edge : step.outputs) there[edge.tensor] = true;
        graph_.execution.push_back(i);
        done[i] = moved = true;
      }
    }
    const auto stuck = std::find(done.begin(), done.end(), false);
    if (stuck == done.end()) return {};
    const auto& step = config_.steps[static_cast<std::size_t>(stuck - done.begin())];
    return at(step, fmt::format("a cycle: the step of '{}' waits for what it feeds", step.model));
  }

  const ModelConfig& config_;
  EnsembleGraph graph_;
  std::map<std::string, std::size_t> numbers_;
  std::map<std::size_t, std::size_t> makers_;  ///< Tensor → step.
};

/// A tensor as its maker describes it: its whole shape, with the batch.
struct Described {
  DataType type;
  std::vector<std::int64_t> shape;
};

Described describe(const ModelConfig& config, const IoConfig& io) {
  Described out{io.type, io.dims};
  if (config.max_batch() > 0) out.shape.insert(out.shape.begin(), -1);
  return out;
}

bool fit(const Described& a, const Described& b) {
  return a.type == b.type &&
         std::equal(a.shape.begin(), a.shape.end(), b.shape.begin(), b.shape.end(),
                    [](auto x, auto y) { return x == y || x < 0 || y < 0; });
}

const IoConfig* find_io(const std::vector<IoConfig>& ios, const std::string& name) {
  const auto found =
      std::find_if(ios.begin(), ios.end(), [&](const auto& io) { return io.name == name; });
  return found == ios.end() ? nullptr : &*found;
}

std::string text(const Described& d) {
  return fmt::format("{} [{}]", to_string(d.type), fmt::join(d.shape, ","));
}

/// Goes through the steps in the order of execution, knowing what each tensor is.
class Check {
 public:
  Check(const ModelConfig& config, const EnsembleGraph& graph)
      : config_(config), graph_(graph), known_(graph.tensors.size()) {}

  Result<void> all(const FindConfig& find) {
    for (std::size_t i = 0; i < config_.inputs.size(); ++i) {
      known_[i] = describe(config_, config_.inputs[i]);
    }
    for (const auto i : graph_.execution) {
      auto part = find(config_.steps[i]);
      if (!part) {
        return Error{part.error().code(),
                     fmt::format("{}: the step needs model '{}', which is not ready",
                                 config_.steps[i].at, config_.steps[i].model),
                     std::move(part).error()};
      }
      INFINIEDGE_TRY(step(i, **part));
    }
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      const auto given = *known_[graph_.outputs[i]];
      const auto wanted = describe(config_, config_.outputs[i]);
      if (fit(given, wanted)) continue;
      return Error{Code::Invalid,
                   fmt::format("ensemble '{}': output '{}' is {}, but its step gives "
                               "{}",
                               config_.name, config_.outputs[i].name, text(wanted), text(given))};
    }
    return {};
  }

 private:
  Result<void> step(std::size_t i, const ModelConfig& part) {
    const auto& declared = config_.steps[i];
    if (part.max_batch() > 0 && part.max_batch() < config_.max_batch()) {
      return at(declared, fmt::format("'{}' takes batches up to {}, the ensemble up to {}",
                                      part.name, part.max_batch(), config_.max_batch()));
    }
    for (const auto& edge : graph_.steps[i].inputs) {
      const auto* io = find_io(part.inputs, edge.name);
      if (io == nullptr) {
        return at(declared, fmt::format("model '{}' has no input '{}'", part.name, edge.name));
      }
      const auto wanted = describe(part, *io);
      const auto given = *known_[edge.tensor];
      if (fit(given, wanted)) continue;
      return at(declared,
                fmt::format("input '{}' of '{}' is {}, but tensor '{}' is {}", edge.name, part.name,
                            text(wanted), graph_.tensors[edge.tensor], text(given)));
    }
    for (const auto& io : part.inputs) {
      if (io.optional || declared.inputs.contains(io.name)) continue;
      return at(declared, fmt::format("the input_map says nothing of input '{}' of '{}'", io.name,
                                      part.name));
    }
    for (const auto& edge : graph_.steps[i].outputs) {
      const auto* io = find_io(part.outputs, edge.name);
      if (io == nullptr) {
        return at(declared, fmt::format("model '{}' has no output '{}'", part.name, edge.name));
      }
      known_[edge.tensor] = describe(part, *io);
    }
    return {};
  }

  const ModelConfig& config_;
  const EnsembleGraph& graph_;
  std::vector<std::optional<Described>> known_;
};

}  // namespace

Result<EnsembleGraph> make_graph(const ModelConfig& config) { return Layout(config).make(); }

Result<void> check_parts(const ModelConfig& config, const EnsembleGraph& graph,
                         const FindConfig& find) {
  return Check(config, graph).all(find);
}

}  // namespace infiniedge::model
