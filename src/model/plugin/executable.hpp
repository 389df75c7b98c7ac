// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "infiniedge/backend.h"
#include "infiniedge/backend.hpp"

namespace infiniedge::model::plugin {

/// A buffer for the sentence of a plugin, and what it means to us.
class Complaint {
 public:
  infiniedge_error* out() { return &error_; }
  /// Success, or the plugin's code with its sentence; a code that is none is Internal.
  Result<void> result(infiniedge_code code, std::string_view plugin);

 private:
  char text_[1024] = {};
  infiniedge_error error_{text_, sizeof text_};
};

/// A model that a plugin has loaded; its instances share it.
struct Loaded {
  explicit Loaded(const infiniedge_backend* backend) : table(backend) {}
  ~Loaded() {
    if (model != nullptr) table->release_model(model);
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;

  const infiniedge_backend* table;
  infiniedge_model* model = nullptr;
  std::vector<TensorSpec> inputs, outputs;
  std::string device;
  bool shapes_known = false;  ///< The batch gives the shapes of all outputs.
};

/// Asks the plugin what the model is, and checks the answer. Errors: Internal for nonsense.
Result<void> describe(Loaded& loaded);

Result<std::unique_ptr<Executable>> make_executable(std::shared_ptr<const Loaded> loaded);

}  // namespace infiniedge::model::plugin
