// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "infiniedge/backend.hpp"
#include "model/backends.hpp"

namespace infiniedge::model::native {

/// Trees, forests, linear and logistic models, small networks and thresholds, computed by
/// ourselves: no library, microseconds, and a run allocates nothing.
///
/// Flow:    repository -> [native::Backend] -> Executable
/// Thread:  load() on any worker, several at once.
/// Owner:   app's registry.
/// Errors:  as infiniedge::Backend; Invalid names the place in the file.
class Backend final : public infiniedge::Backend {
 public:
  static constexpr Spec kSpec{
      .name = "native",
      .summary = "Networks, trees, forests and thresholds, without a library.",
      .address = "native.json"};
  static std::unique_ptr<infiniedge::Backend> make(const BackendEnvironment&) {
    return std::make_unique<Backend>();
  }

  std::string_view name() const override { return "native"; }
  std::string_view default_filename() const override { return "native.json"; }
  Result<std::unique_ptr<Executable>> load(const std::filesystem::path& file,
                                           const Options& options) override;
};

}  // namespace infiniedge::model::native
