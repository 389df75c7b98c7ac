// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "infiniedge/backend.hpp"
#include "infiniedge/spec.hpp"

namespace infiniedge::model {

/// What the backends of a process are given.
struct BackendEnvironment {
  int cores = 1;                    ///< Threads that one execution may have at most.
  std::filesystem::path cache{};    ///< For compiled models; empty: none are kept.
  std::filesystem::path plugins{};  ///< Folder of other people's backends; empty: none.
};

/// The backends that this binary has. A backend class B has
///     static constexpr Spec kSpec;   // `address` is its file, `options` the model's parameters
///     static std::unique_ptr<infiniedge::Backend> make(const BackendEnvironment&);
/// where make() loads no library: that is left to the first model.
///
/// Thread: filled at start, then only read; any.
/// Owner:  app.
class BackendRegistry {
 public:
  template <class B>
  void add() {
    parts_.push_back({&B::kSpec, &B::make});
  }
  /// Every backend, and those of the plugins folder. A plugin with the name of another backend is
  /// left out; the log says so.
  std::vector<std::unique_ptr<Backend>> make(const BackendEnvironment& environment) const;
  std::vector<const Spec*> specs() const;

 private:
  struct Part {
    const Spec* spec;
    std::unique_ptr<Backend> (*make)(const BackendEnvironment&);
  };
  std::vector<Part> parts_;
};

}  // namespace infiniedge::model
