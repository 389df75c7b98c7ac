// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "infiniedge/backend.hpp"

namespace infiniedge::model::openvino {

/// Properties of OpenVINO by key.
using Properties = std::map<std::string, std::string>;

/// What a model is compiled with for `device`: latency where one execution runs at a time, else a
/// stream for each instance, never both; threads as given, not pinned, no batching behind our
/// back, FP32 kept as FP32. The model's parameters PERFORMANCE_HINT, NUM_STREAMS,
/// INFERENCE_NUM_THREADS, ENABLE_CPU_PINNING and INFERENCE_PRECISION_HINT win; CACHE_DIR is the
/// operator's alone (`cache_dir`; empty: none).
/// Errors: Invalid for PERFORMANCE_HINT together with NUM_STREAMS, or a value that is none.
Result<Properties> properties_of(const Backend::Options& options, const std::string& device,
                                 const std::string& cache_dir);

}  // namespace infiniedge::model::openvino
