// SPDX-License-Identifier: Apache-2.0
#include "model/openvino/backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "model/openvino/executable.hpp"
#include "model/openvino/properties.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model::openvino {
namespace {

/// "gpu.1" is OpenVINO's "GPU.1".
std::string device_name(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name;
}

/// "GPU.1" is our "gpu:1".
std::string own_name(std::string device) {
  std::transform(device.begin(), device.end(), device.begin(), [](unsigned char c) {
    return c == '.' ? ':' : static_cast<char>(std::tolower(c));
  });
  return device == "gpu" ? "gpu:0" : device;
}

/// Devices to try, in order; the CPU is always behind them.
std::vector<std::string> devices_of(const Backend::Options& options) {
  std::vector<std::string> out;
  const auto target = options.parameters.find("TARGET_DEVICE");
  if (target != options.parameters.end()) out.push_back(device_name(target->second));
  for (const auto& accelerator : options.accelerators) {
    const auto device = accelerator.options.find("device");
    out.push_back(
        device_name(device == accelerator.options.end() ? accelerator.name : device->second));
  }
  const auto cpu = std::find(out.begin(), out.end(), "CPU");
  out.erase(cpu, out.end());
  out.emplace_back("CPU");
  return out;
}

Error not_readable(const std::filesystem::path& file, Error cause) {
  // Reading fails with a general error whatever is wrong with the file.
  const auto code = cause.code() == Code::Internal ? Code::Invalid : cause.code();
  return {code, fmt::format("{} cannot be loaded", file.string()), std::move(cause)};
}

Result<CompiledModel> compile(const Library& library, const Model& model, const std::string& device,
                              const Properties& properties) {
  std::vector<OvProperty> list;
  for (const auto& [key, value] : properties) list.push_back({key.c_str(), value.c_str()});
  CompiledModel out(library);
  INFINIEDGE_TRY(library.check(library.table().ov_core_compile_model_props(
      library.core(), model.get(), device.c_str(), list.size(), list.data(), out.out())));
  return out;
}

}  // namespace

std::unique_ptr<infiniedge::Backend> Backend::make(const BackendEnvironment& environment) {
  auto cache = environment.cache.empty() ? "" : (environment.cache / "openvino").string();
  return std::make_unique<Backend>(Settings{.library = {}, .cache_dir = std::move(cache)});
}

Result<LibraryPtr> Backend::library() {
  const std::lock_guard lock(mutex_);
  if (!library_) {
    auto loaded = Library::load(settings_.library);
    if (!loaded) return std::move(loaded).error();
    library_ = std::move(*loaded);
    runtime::log(runtime::Level::Info, "model", "OpenVINO loaded",
                 {{"version", library_->version()}, {"path", library_->path()}});
  }
  return library_;
}

Result<std::unique_ptr<Executable>> Backend::load(const std::filesystem::path& file,
                                                  const Options& options) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return Error{Code::NotFound, fmt::format("model file {} does not exist", file.string())};
  }
  auto found = library();
  if (!found) return std::move(found).error();
  const auto& library = *found;
  Model model(*library);
  auto read = library->check(
      library->table().ov_core_read_model(library->core(), file.c_str(), nullptr, model.out()));
  if (!read) return not_readable(file, std::move(read).error());
  std::vector<Refusal> refusals;
  for (const auto& device : devices_of(options)) {
    auto properties = properties_of(options, device, settings_.cache_dir);
    if (!properties) return std::move(properties).error();
    auto compiled = compile(*library, model, device, *properties);
    if (!compiled && device == "CPU") return not_readable(file, std::move(compiled).error());
    if (!compiled) {
      runtime::log(runtime::Level::Warning, "model", "accelerator not used",
                   {{"accelerator", own_name(device)},
                    {"file", file.string()},
                    {"reason", compiled.error().describe()}});
      refusals.push_back({own_name(device), compiled.error().describe()});
      continue;
    }
    auto out = std::make_shared<Compiled>(library, std::move(*compiled));
    out->device = own_name(device);
    out->refusals = std::move(refusals);
    INFINIEDGE_TRY(describe(*out));
    return make_executable(std::move(out));
  }
  return Error{Code::Internal, "no device was tried"};  // The CPU always is.
}

}  // namespace infiniedge::model::openvino
