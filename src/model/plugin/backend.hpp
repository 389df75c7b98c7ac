// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "infiniedge/backend.h"
#include "infiniedge/backend.hpp"

namespace infiniedge::model::plugin {

/// A backend out of somebody else's shared library, through the C interface of
/// infiniedge/backend.h. What it says about its models and outputs is checked; what it does to the
/// process is not, which is why only the operator's folder is looked at.
///
/// Flow:    repository -> [plugin::Backend] -> Executable
/// Thread:  open() at start; load() on any worker, several at once.
/// Owner:   app's registry. The library stays open until the process ends.
/// Errors:  as infiniedge::Backend; Internal when the library breaks its contract.
class Backend final : public infiniedge::Backend {
 public:
  /// Opens and probes a library. Errors: Denied where others may write the file; Unavailable for
  /// no plugin, another version, an empty function, or a probe that fails.
  static Result<std::unique_ptr<Backend>> open(const std::filesystem::path& file);

  std::string_view name() const override { return table_->name; }
  std::string_view default_filename() const override { return table_->default_filename; }
  Result<std::unique_ptr<Executable>> load(const std::filesystem::path& file,
                                           const Options& options) override;

 private:
  explicit Backend(const infiniedge_backend* table) : table_(table) {}

  const infiniedge_backend* table_;
};

/// Opens every *.so of a folder, in the order of their names. What cannot be used is left out, and
/// the log says why. A folder that does not exist has none.
std::vector<std::unique_ptr<infiniedge::Backend>> open_folder(const std::filesystem::path& folder);

}  // namespace infiniedge::model::plugin
