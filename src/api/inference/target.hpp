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
    OtherRepository,   ///< /v2/repository/{repo}/…: we have one, without a name.
    SharedMemory,      ///< System memory; `action` is the path's last word.
    CudaSharedMemory,  ///< The same of a GPU.
    Logging,
    Trace,  ///< Of one model, or of the server (model empty).
    Generate,
    GenerateStream
  };
  Kind kind = Kind::Unknown;
  std::string model{}, version{};
  std::string region{}, action{};  ///< Of shared memory; no region: all.

  /// The verbs that the path takes, as they stand in Allow: "GET", "POST" or "GET, POST".
  std::string_view methods() const;
  bool takes(std::string_view method) const;
  /// True where a request changes what the server does for others.
  bool steers(std::string_view method) const;
};

/// Reads a path without query; names are percent-decoded, a trailing slash is ignored.
Target parse_target(std::string_view path);

}  // namespace infiniedge::api::inference
