// SPDX-License-Identifier: Apache-2.0
#include "app/config/model_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/config/scalar.hpp"
#include "app/parts.hpp"
#include "model/predictor.hpp"
#include "model/served.hpp"

namespace infiniedge::app::config {
namespace {

namespace fs = std::filesystem;

Result<void> set_serve(model::ModelConfig& config, const std::string& key,
                       const std::string& value) {
  const auto number = parse_integer(value);
  if (key == "max_batch" && number)
    config.max_batch_size = static_cast<std::int32_t>(*number);
  else if (key == "threads" && number)
    config.threads = static_cast<int>(*number);
  else if (key == "instances" && number)
    config.instances = static_cast<int>(*number);
  else
    return Error{Code::Unsupported,
                 fmt::format("Model {}: serve.{} is not in this version; put it into model.yaml",
                             config.name, key)};
  return {};
}

using Backends = std::vector<std::unique_ptr<Backend>>;

Result<std::shared_ptr<model::Served>> load_newest(const ModelResource& resource,
                                                   const Backends& runtimes) {
  auto definition = definition_of(resource);
  if (!definition) return definition.error();
  if (definition->files.empty())
    return Error{Code::NotFound, fmt::format("{} holds no version", resource.path)};
  const auto& [version, file] = *definition->files.rbegin();
  const auto& name = definition->config.backend;
  const auto found = std::find_if(runtimes.begin(), runtimes.end(),
                                  [&](const auto& b) { return b->name() == name; });
  if (found == runtimes.end())
    return Error{Code::Unsupported, fmt::format("no backend '{}' is built in", name)};
  return model::Served::build(definition->config, version, file, **found);
}

}  // namespace

Result<model::ModelDefinition> definition_of(const ModelResource& resource) {
  model::ModelDefinition out;
  if (resource.require == "gpu" || resource.require == "npu") {
    return Error{Code::Unsupported,
                 fmt::format("Model {}: this build computes on the CPU only", resource.name)};
  }
  if (fs::is_directory(resource.path)) {
    const auto path = fs::path{resource.path + "/"}.parent_path();
    auto read = model::Repository(path.parent_path()).read(path.filename().string());
    if (!read) return read.error();
    out = std::move(*read);
  } else {
    out = model::define_file(resource.name, resource.path, {});
  }
  out.config.name = resource.name;
  if (!resource.classes.empty()) out.config.classes = resource.classes;
  out.config.required = true;
  for (const auto& [key, value] : resource.serve) INFINIEDGE_TRY(set_serve(out.config, key, value));
  return out;
}

void ModelFiles::load(const std::vector<Resource>& resources, const Site& site,
                      base::Diagnostics& out) {
  const Backends runtimes = backends().make({});
  if (!repository_.empty()) {
    const auto names = model::Repository(repository_).names();
    elsewhere_.insert(names.begin(), names.end());
  }
  for (const auto& model : site.models) {
    const auto served = load_newest(model, runtimes);
    widths_.insert_or_assign(model.name, served ? model::feature_width((*served)->config())
                                                : Result<std::size_t>{served.error()});
    if (served) continue;
    const auto owner = std::find_if(resources.begin(), resources.end(), [&](const Resource& r) {
      return r.kind->kind == "Model" && r.name == model.name;
    });
    add(out, owner->file, owner->spec.find("source")->mark, "unknown-reference",
        served.error().describe());
  }
}

Result<std::size_t> ModelFiles::width(const std::string& model) const {
  if (const auto known = widths_.find(model); known != widths_.end()) return known->second;
  if (elsewhere_.contains(model))
    return Error{Code::Unavailable, fmt::format("model {} is loaded by the node", model)};
  return Error{Code::NotFound, fmt::format("there is no model {}", model)};
}

Task<Result<std::vector<Prediction>>> ModelFiles::predict(const std::string&, std::vector<Sample>) {
  co_return Error{Code::Unsupported, "validation asks no model"};
}

}  // namespace infiniedge::app::config
