// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/providers.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace infiniedge::model::onnx {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Keys and values as the table takes them.
struct Pairs {
  explicit Pairs(const Accelerator& accelerator) {
    for (const auto& [key, value] : accelerator.options) {
      // The OpenVINO provider's own name for what everybody calls the device.
      const bool device = key == "device" && lower(accelerator.name) == "openvino";
      keys.push_back(device ? "device_type" : key.c_str());
      values.push_back(value.c_str());
    }
  }
  std::vector<const char*> keys, values;
};

std::string provider_name(const std::string& name) {
  constexpr std::pair<std::string_view, const char*> kNames[] = {
      {"openvino", "OpenVINO"}, {"xnnpack", "XNNPACK"}, {"qnn", "QNN"},
      {"vitisai", "VitisAI"},   {"webgpu", "WebGPU"},   {"coreml", "CoreML"}};
  for (const auto& [own, theirs] : kNames) {
    if (lower(name) == own) return theirs;
  }
  return name;
}

template <class Options, class Create, class Update, class Append, class Release>
Result<void> append_with_options(const Library& library, OrtSessionOptions* session,
                                 const Pairs& pairs) {
  Owned<Options, Release> options(library);
  INFINIEDGE_TRY(library.call<Create>(options.out()));
  if (!pairs.keys.empty()) {
    INFINIEDGE_TRY(library.call<Update>(options.get(), pairs.keys.data(), pairs.values.data(),
                                        pairs.keys.size()));
  }
  return library.call<Append>(session, static_cast<const Options*>(options.get()));
}

std::string option(const Accelerator& accelerator, const std::string& key, std::string fallback) {
  const auto found = accelerator.options.find(key);
  return found == accelerator.options.end() ? std::move(fallback) : lower(found->second);
}

}  // namespace

Result<void> append_provider(const Library& library, OrtSessionOptions* options,
                             const Accelerator& accelerator) {
  const Pairs pairs(accelerator);
  const auto name = lower(accelerator.name);
  if (name == "cuda") {
    return append_with_options<OrtCudaOptions, CreateCudaOptions, UpdateCudaOptions, AppendCuda,
                               ReleaseCudaOptions>(library, options, pairs);
  }
  if (name == "tensorrt") {
    return append_with_options<OrtTensorRtOptions, CreateTensorRtOptions, UpdateTensorRtOptions,
                               AppendTensorRt, ReleaseTensorRtOptions>(library, options, pairs);
  }
  const auto theirs = provider_name(accelerator.name);
  return library.call<AppendProvider>(options, theirs.c_str(), pairs.keys.data(),
                                      pairs.values.data(), pairs.keys.size());
}

std::string device_of(const Accelerator& accelerator) {
  const auto name = lower(accelerator.name);
  if (name == "cuda" || name == "tensorrt") {
    return "gpu:" + option(accelerator, "device_id", "0");
  }
  if (name == "openvino") {
    auto device = option(accelerator, "device", option(accelerator, "device_type", "cpu"));
    std::replace(device.begin(), device.end(), '.', ':');
    return device == "gpu" ? "gpu:0" : device;
  }
  if (name == "qnn" || name == "vitisai") return "npu";
  if (name == "webgpu") return "gpu:0";
  return "cpu";
}

}  // namespace infiniedge::model::onnx
