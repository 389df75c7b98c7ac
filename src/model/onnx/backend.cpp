// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/backend.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "model/onnx/session.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model::onnx {

std::unique_ptr<infiniedge::Backend> Backend::make(const BackendEnvironment& environment) {
  return std::make_unique<Backend>(Library::Options{.path = {}, .pool_threads = environment.cores});
}

Result<LibraryPtr> Backend::library() {
  const std::lock_guard lock(mutex_);
  if (!library_) {
    auto loaded = Library::load(options_);
    if (!loaded) return std::move(loaded).error();
    library_ = std::move(*loaded);
    runtime::log(runtime::Level::Info, "model", "ONNX Runtime loaded",
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
  auto loaded = open_model(*found, file, options);
  if (!loaded) {
    const auto code = loaded.error().code();
    return Error{code == Code::Internal ? Code::Invalid : code,
                 fmt::format("{} cannot be loaded", file.string()), std::move(loaded).error()};
  }
  return make_executable(std::move(*loaded));
}

}  // namespace infiniedge::model::onnx
