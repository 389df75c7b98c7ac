// SPDX-License-Identifier: Apache-2.0
#include "api/inference/describe.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace infiniedge::api::inference {
namespace {

namespace json = boost::json;

json::array tensors_json(const std::vector<model::IoConfig>& ios, bool batched) {
  json::array out;
  for (const auto& io : ios) {
    json::array shape(io.dims.begin(), io.dims.end());
    if (batched) shape.insert(shape.begin(), -1);
    out.push_back(json::object{
        {"name", io.name}, {"datatype", to_string(io.type)}, {"shape", std::move(shape)}});
  }
  return out;
}

json::object duration_json(const model::DurationStat& stat) {
  return {{"count", stat.count}, {"ns", stat.ns}};
}

json::object model_stats(const model::Served& served) {
  const auto& s = served.statistics();
  json::array batches;
  for (const auto& [size, batch] : s.batches) {
    batches.push_back(json::object{{"batch_size", size},
                                   {"compute_input", duration_json(batch.compute_input)},
                                   {"compute_infer", duration_json(batch.compute_infer)},
                                   {"compute_output", duration_json(batch.compute_output)}});
  }
  json::object inference{{"success", duration_json(s.success)},
                         {"fail", duration_json(s.fail)},
                         {"queue", duration_json(s.queue)},
                         {"compute_input", duration_json(s.compute_input)},
                         {"compute_infer", duration_json(s.compute_infer)},
                         {"compute_output", duration_json(s.compute_output)},
                         {"cache_hit", duration_json(s.cache_hit)},
                         {"cache_miss", duration_json(s.cache_miss)}};
  return {{"name", served.config().name},          {"version", std::to_string(served.version())},
          {"last_inference", s.last_inference_ms}, {"inference_count", s.inferences},
          {"execution_count", s.executions},       {"inference_stats", std::move(inference)},
          {"response_stats", json::object{}},      {"batch_stats", std::move(batches)},
          {"memory_usage", json::array{}}};
}

}  // namespace

std::vector<std::string> extensions(const ProtocolState& state) {
  std::vector<std::string> out{"classification", "sequence", "model_repository",
                               "model_repository(unload_dependents)", "model_configuration"};
  if (state.memory.enabled()) out.emplace_back("system_shared_memory");
  for (const auto* name : {"binary_tensor_data", "parameters", "statistics", "logging"}) {
    out.emplace_back(name);
  }
  return out;
}

std::string server_json(const model::Server::Options& options, const ProtocolState& state) {
  json::array names;
  for (const auto& name : extensions(state)) names.push_back(json::string(name));
  return json::serialize(json::object{
      {"name", options.name}, {"version", options.version}, {"extensions", std::move(names)}});
}

std::string regions_json(const std::vector<SharedRegion>& regions) {
  json::array out;
  for (const auto& region : regions) {
    out.push_back(json::object{{"name", region.name},
                               {"key", region.key},
                               {"offset", region.offset},
                               {"byte_size", region.byte_size}});
  }
  return json::serialize(out);
}

std::string trace_json(const TraceSettings::Values& values) {
  json::object out;
  for (const auto& [name, list] : values) {
    if (name == "trace_level") {
      json::array levels;
      for (const auto& level : list) levels.push_back(json::string(level));
      out[name] = std::move(levels);
    } else {
      out[name] = list.front();
    }
  }
  return json::serialize(out);
}

std::string log_json(const LogSettings& settings) {
  return json::serialize(json::object{{"log_file", *settings.log_file},
                                      {"log_info", *settings.log_info},
                                      {"log_warning", *settings.log_warning},
                                      {"log_error", *settings.log_error},
                                      {"log_verbose_level", *settings.log_verbose_level},
                                      {"log_format", *settings.log_format}});
}

std::string model_json(const model::Served& served, const std::vector<std::int64_t>& versions) {
  const auto& config = served.config();
  json::array numbers;
  for (const auto version : versions) numbers.push_back(json::string(std::to_string(version)));
  const bool batched = config.max_batch() > 0;
  return json::serialize(json::object{{"name", config.name},
                                      {"versions", std::move(numbers)},
                                      {"platform", config.platform},
                                      {"inputs", tensors_json(config.inputs, batched)},
                                      {"outputs", tensors_json(config.outputs, batched)}});
}

Result<std::vector<std::shared_ptr<model::Served>>> statistics_of(const model::Server& server,
                                                                  const std::string& model,
                                                                  const std::string& version) {
  auto all = server.serving();
  if (model.empty()) return all;
  auto served = server.find(model, version);
  if (!served) return std::move(served).error();
  if (!version.empty()) all = {*served};
  std::erase_if(all, [&](const auto& each) { return each->config().name != model; });
  return all;
}

std::string statistics_json(const std::vector<std::shared_ptr<model::Served>>& served) {
  json::array all;
  for (const auto& each : served) all.push_back(model_stats(*each));
  return json::serialize(json::object{{"model_stats", std::move(all)}});
}

std::string index_json(const std::vector<model::IndexEntry>& entries) {
  json::array out;
  for (const auto& entry : entries) {
    json::object line{{"name", entry.name}};
    if (entry.version) {
      line["version"] = std::to_string(*entry.version);
      line["state"] = to_string(entry.state);
      line["reason"] = entry.reason;
    }
    out.push_back(std::move(line));
  }
  return json::serialize(out);
}

}  // namespace infiniedge::api::inference
