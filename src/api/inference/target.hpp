// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace infiniedge::api::inference {

/// What a path of the Open Inference Protocol names.
struct Target {
  enum class Kind {
    Unknown,
    Server,
    Live,
    Ready,
    ModelReady,
    Model,
    Config,
    Infer,
    Statistics,  ///< Of one model, or of all (model empty).
    Index,
    Load,
    Unload,
    OtherRepository,  ///< /v2/repository/{repo}/…: we have one, without a name.
    SharedMemory      ///< Any of the shared-memory paths; `action` is its last word.
  };
  Kind kind = Kind::Unknown;
  std::string model{}, version{}, action{};

  /// "GET" or "POST"; the one verb that the path takes.
  std::string_view method() const;
};

/// Reads a path without query; names are percent-decoded, a trailing slash is ignored.
Target parse_target(std::string_view path);

}  // namespace infiniedge::api::inference
