// SPDX-License-Identifier: Apache-2.0
#include "model/config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/suggest.hpp"
#include "model/schedules.hpp"

namespace infiniedge::model {
namespace {

namespace json = boost::json;

bool starts_open(const std::vector<TensorSpec>& specs) {
  return std::all_of(specs.begin(), specs.end(),
                     [](const auto& s) { return !s.shape.empty() && s.shape.front() < 0; });
}

std::vector<std::int64_t> without_batch(const TensorSpec& spec, int max_batch) {
  return {spec.shape.begin() + (max_batch > 0 ? 1 : 0), spec.shape.end()};
}

bool fits(const std::vector<std::int64_t>& declared, const std::vector<std::int64_t>& real) {
  return declared.size() == real.size() &&
         std::equal(declared.begin(), declared.end(), real.begin(),
                    [](auto d, auto r) { return d == r || d < 0 || r < 0; });
}

Error no_such(const std::string& model, const char* side, const IoConfig& io,
              const std::vector<TensorSpec>& specs) {
  std::vector<std::string> names;
  for (const auto& spec : specs) names.push_back(spec.name);
  const auto near = base::suggest(io.name, names);
  return {Code::Invalid,
          fmt::format("model '{}': the configuration names {} '{}', which the model does not have "
                      "(it has {}){}",
                      model, side, io.name, fmt::join(names, ", "),
                      near ? fmt::format("; did you mean '{}'?", *near) : "")};
}

/// A reshape must keep the number of elements, whatever the dimensions that vary turn out to be.
Result<void> check_reshape(const std::string& model, const IoConfig& io) {
  if (!io.reshape) return {};
  const auto summary = [](const std::vector<std::int64_t>& dims) {
    std::int64_t fixed = 1, open = 0;
    for (const auto dim : dims) {
      if (dim < 0)
        ++open;
      else if (__builtin_mul_overflow(fixed, dim, &fixed))
        fixed = -1;
    }
    return std::pair{fixed, open};
  };
  if (summary(io.dims) == summary(*io.reshape)) return {};
  return Error{Code::Invalid,
               fmt::format("model '{}': '{}' has dims [{}], which cannot be reshaped to [{}]: the "
                           "number of elements and of -1 must stay",
                           model, io.name, fmt::join(io.dims, ","), fmt::join(*io.reshape, ","))};
}

/// Brings the declared side into the order of the model and checks it.
Result<void> complete_side(const std::string& model, const char* side, int max_batch,
                           const std::vector<TensorSpec>& specs, std::vector<IoConfig>& ios) {
  std::vector<IoConfig> ordered;
  for (const auto& spec : specs) {
    const auto real = without_batch(spec, max_batch);
    const auto found =
        std::find_if(ios.begin(), ios.end(), [&](const auto& io) { return io.name == spec.name; });
    if (found == ios.end()) {
      ordered.push_back({.name = spec.name, .type = spec.type, .dims = real});
      continue;
    }
    const bool only_labels = found->dims.empty() && !found->reshape;
    if (only_labels && !real.empty()) found->dims = real;
    INFINIEDGE_TRY(check_reshape(model, *found));
    if (found->type != spec.type) {
      return Error{
          Code::Invalid,
          fmt::format("model '{}': {} '{}' is {} in the configuration and {} in the model", model,
                      side, spec.name, to_string(found->type), to_string(spec.type))};
    }
    if (!fits(found->reshape.value_or(found->dims), real)) {
      return Error{
          Code::Invalid,
          fmt::format("model '{}': {} '{}' has dims [{}] in the configuration and [{}] in "
                      "the model{}",
                      model, side, spec.name, fmt::join(found->dims, ","), fmt::join(real, ","),
                      max_batch > 0 ? " (without the batch dimension)" : "")};
    }
    ordered.push_back(*found);
  }
  for (const auto& io : ios) {
    const bool known = std::any_of(specs.begin(), specs.end(),
                                   [&](const auto& spec) { return spec.name == io.name; });
    if (!known) return no_such(model, side, io, specs);
  }
  ios = std::move(ordered);
  return {};
}

json::array dims_json(const std::vector<std::int64_t>& dims) {
  return json::array(dims.begin(), dims.end());
}

json::object io_json(const IoConfig& io) {
  json::object out{{"name", io.name},
                   {"data_type", protocol_name(io.type)},
                   {"dims", dims_json(io.dims)},
                   {"is_shape_tensor", false}};
  if (io.reshape) out["reshape"] = json::object{{"shape", dims_json(*io.reshape)}};
  return out;
}

json::array inputs_json(const ModelConfig& config) {
  json::array out;
  for (const auto& io : config.inputs) {
    auto input = io_json(io);
    input["format"] = "FORMAT_NONE";
    input["allow_ragged_batch"] = false;
    input["optional"] = io.optional;
    out.push_back(std::move(input));
  }
  return out;
}

json::array outputs_json(const ModelConfig& config) {
  json::array out;
  for (const auto& io : config.outputs) {
    auto output = io_json(io);
    output["label_filename"] = io.label_filename;
    out.push_back(std::move(output));
  }
  return out;
}

json::object policy_json(const VersionPolicy& policy) {
  if (policy.kind == VersionPolicy::Kind::All) return {{"all", json::object{}}};
  if (policy.kind == VersionPolicy::Kind::Specific) {
    return {{"specific", json::object{{"versions", dims_json(policy.specific)}}}};
  }
  return {{"latest", json::object{{"num_versions", policy.latest}}}};
}

json::object queue_json(const QueuePolicy& queue) {
  return {{"timeout_action", queue.delay_on_timeout ? "DELAY" : "REJECT"},
          {"default_timeout_microseconds", queue.timeout.count()},
          {"allow_timeout_override", queue.allow_timeout_override},
          {"max_queue_size", queue.max_size}};
}

json::object batching_json(const Batching& batching) {
  json::array preferred(batching.preferred.begin(), batching.preferred.end());
  json::object levels;
  for (const auto& [level, queue] : batching.level_queues) {
    levels[std::to_string(level)] = queue_json(queue);
  }
  return {{"preferred_batch_size", std::move(preferred)},
          {"max_queue_delay_microseconds", batching.max_delay.count()},
          {"preserve_ordering", batching.preserve_order},
          {"priority_levels", batching.priority_levels},
          {"default_priority_level", batching.default_priority},
          {"default_queue_policy", queue_json(batching.queue)},
          {"priority_queue_policy", std::move(levels)}};
}

json::object texts_json(const std::map<std::string, std::string>& texts) {
  json::object out;
  for (const auto& [key, value] : texts) out[key] = value;
  return out;
}

json::object warmup_json(const Warmup& warmup) {
  json::object inputs;
  for (const auto& [name, input] : warmup.inputs) {
    json::object out{{"data_type", protocol_name(input.type)}, {"dims", dims_json(input.dims)}};
    if (input.data == Warmup::Data::File) {
      out["input_data_file"] = input.file;
    } else {
      out[input.data == Warmup::Data::Zero ? "zero_data" : "random_data"] = true;
    }
    inputs[name] = std::move(out);
  }
  return {{"name", warmup.name},
          {"batch_size", warmup.batch_size},
          {"inputs", std::move(inputs)},
          {"count", warmup.count}};
}

json::object optimization_json(const std::vector<Accelerator>& accelerators) {
  json::array list;
  for (const auto& each : accelerators) {
    list.push_back(json::object{{"name", each.name}, {"parameters", texts_json(each.options)}});
  }
  return {{"priority", "PRIORITY_DEFAULT"},
          {"execution_accelerators", json::object{{"gpu_execution_accelerator", json::array{}},
                                                  {"cpu_execution_accelerator", std::move(list)}}}};
}

}  // namespace

Result<void> complete(ModelConfig& config, const Executable& model) {
  const bool open =
      starts_open(model.inputs()) && starts_open(model.outputs()) && !model.inputs().empty();
  if (!config.max_batch_size) config.max_batch_size = open ? kDefaultMaxBatch : 0;
  if (config.max_batch() > 0 && !open) {
    return Error{Code::Invalid,
                 fmt::format("model '{}': max_batch_size is {}, but not every tensor of the model "
                             "starts with a dimension that varies; set it to 0",
                             config.name, config.max_batch())};
  }
  if (!config.batching.declared) config.batching.enabled = config.max_batch() > 1;
  const int batch = config.max_batch();
  INFINIEDGE_TRY(complete_side(config.name, "input", batch, model.inputs(), config.inputs));
  INFINIEDGE_TRY(complete_side(config.name, "output", batch, model.outputs(), config.outputs));
  for (auto& output : config.outputs) {
    if (output.labels.empty()) output.labels = config.classes;
  }
  return {};
}

std::string protocol_name(DataType type) {
  return type == DataType::Bytes ? "TYPE_STRING" : fmt::format("TYPE_{}", to_string(type));
}

std::string to_json(const ModelConfig& config) {
  json::object parameters;
  for (const auto& [key, value] : config.parameters) {
    parameters[key] = json::object{{"string_value", value}};
  }
  json::array warmups;
  for (const auto& warmup : config.warmups) warmups.push_back(warmup_json(warmup));
  json::object group{{"name", config.name},
                     {"kind", "KIND_CPU"},
                     {"count", config.instances},
                     {"gpus", json::array{}}};
  json::object out{{"name", config.name},
                   {"platform", config.platform},
                   {"backend", config.backend},
                   {"runtime", config.runtime},
                   {"version_policy", policy_json(config.versions)},
                   {"max_batch_size", config.max_batch()},
                   {"input", inputs_json(config)},
                   {"output", outputs_json(config)},
                   {"batch_input", json::array{}},
                   {"batch_output", json::array{}},
                   {"instance_group", json::array{group}},
                   {"default_model_filename", config.default_model_filename},
                   {"cc_model_filenames", json::object{}},
                   {"metric_tags", texts_json(config.metric_tags)},
                   {"parameters", std::move(parameters)},
                   {"model_warmup", std::move(warmups)}};
  if (!config.accelerators.empty()) {
    out["optimization"] = optimization_json(config.accelerators);
  }
  if (config.cache.enabled) out["response_cache"] = json::object{{"enable", true}};
  if (config.sequences) {
    out["sequence_batching"] = to_json(*config.sequences);
  } else if (config.is_ensemble()) {
    out["ensemble_scheduling"] = to_json(config.steps);
  } else if (config.batching.enabled) {
    out["dynamic_batching"] = batching_json(config.batching);
  }
  return json::serialize(out);
}

}  // namespace infiniedge::model
