// SPDX-License-Identifier: Apache-2.0
#include "model/runtimes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace infiniedge::model {
namespace {

namespace fs = std::filesystem;

struct Runtime {
  std::string_view backend, platform;
  std::array<std::string_view, 2> files;  ///< In the order they are looked for.
  std::string_view extension;             ///< Of files that are its own.
};

constexpr Runtime kRuntimes[] = {
    {"onnxruntime", "onnxruntime_onnx", {"model.onnx", ""}, ".onnx"},
    {"openvino", "openvino", {"model.xml", "model.onnx"}, ".xml"},
    {"native", "native", {"native.json", ""}, ".json"},
};

/// Triton's other backends and platforms, which are never a plugin of ours.
constexpr std::string_view kForeign[] = {"tensorrt",   "tensorrt_plan",
                                         "pytorch",    "pytorch_libtorch",
                                         "tensorflow", "tensorflow_savedmodel",
                                         "python",     "tensorflow_graphdef",
                                         "dali",       "fil",
                                         "vllm",       "tensorrtllm"};

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

const Runtime* named(std::string_view name) {
  const auto* found = std::find_if(std::begin(kRuntimes), std::end(kRuntimes), [&](const auto& r) {
    return r.backend == name || r.platform == name;
  });
  return found == std::end(kRuntimes) ? nullptr : found;
}

const Runtime* of_file(const fs::path& file) {
  const auto* found = std::find_if(std::begin(kRuntimes), std::end(kRuntimes),
                                   [&](const auto& r) { return file.extension() == r.extension; });
  return found == std::end(kRuntimes) ? nullptr : found;
}

const Runtime* of_folder(const fs::path& version) {
  const auto* found = std::find_if(std::begin(kRuntimes), std::end(kRuntimes),
                                   [&](const auto& r) { return is_file(version / r.files[0]); });
  return found == std::end(kRuntimes) ? std::begin(kRuntimes) : found;
}

std::string file_of(const Runtime& runtime, const fs::path& version) {
  const bool second = !runtime.files[1].empty() && !is_file(version / runtime.files[0]) &&
                      is_file(version / runtime.files[1]);
  return std::string{runtime.files[second ? 1 : 0]};
}

Result<std::string> only_file(const fs::path& version, const std::string& backend) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(version, error)) {
    if (entry.is_regular_file(error)) files.push_back(entry.path().filename().string());
  }
  if (files.size() == 1) return std::move(files.front());
  return Error{Code::Invalid,
               fmt::format("{} holds {} files: say which one backend '{}' loads, with "
                           "default_model_filename",
                           version.string(), files.size(), backend)};
}

Result<void> check_name(const std::string& file) {
  if (file.find('/') == std::string::npos && file != "." && file != "..") return {};
  return Error{Code::Invalid,
               fmt::format("default_model_filename '{}' must be a plain file name", file)};
}

}  // namespace

Result<void> settle_runtime(ModelConfig& config, const fs::path& version) {
  auto& file = config.default_model_filename;
  INFINIEDGE_TRY(check_name(file));
  const auto name = config.backend.empty() ? config.platform : config.backend;
  if (std::find(std::begin(kForeign), std::end(kForeign), name) != std::end(kForeign)) {
    return Error{Code::Unsupported,
                 fmt::format("backend or platform '{}' cannot be served here: export the model as "
                             "ONNX (model.onnx)",
                             name)};
  }
  const auto* runtime = named(name);
  if (name.empty()) {
    runtime = file.empty() ? of_folder(version) : of_file(file);
    if (runtime == nullptr) runtime = std::begin(kRuntimes);
  }
  if (runtime == nullptr) {  // Perhaps a plugin: the server knows.
    config.backend = name;
    if (!file.empty()) return {};
    auto only = only_file(version, name);
    if (!only) return std::move(only).error();
    file = std::move(*only);
    return {};
  }
  config.backend = runtime->backend;
  config.platform = runtime->platform;
  if (file.empty()) file = file_of(*runtime, version);
  return {};
}

}  // namespace infiniedge::model
