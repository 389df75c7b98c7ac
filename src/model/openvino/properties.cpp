// SPDX-License-Identifier: Apache-2.0
#include "model/openvino/properties.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace infiniedge::model::openvino {
namespace {

/// A property that a model may set. No words: a number from 1 to 256.
struct Known {
  std::string_view key;
  std::vector<std::string_view> words;
};

const std::vector<Known>& known() {
  static const std::vector<Known> kKnown = {
      {"PERFORMANCE_HINT", {"LATENCY", "THROUGHPUT"}},
      {"NUM_STREAMS", {}},
      {"INFERENCE_NUM_THREADS", {}},
      {"ENABLE_CPU_PINNING", {"NO", "YES"}},
      {"INFERENCE_PRECISION_HINT", {"f32", "f16", "bf16"}},
  };
  return kKnown;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 3 && text.front() != '0' &&
         text.find_first_not_of("0123456789") == std::string::npos && std::stoi(text) <= 256;
}

Result<void> check(const Known& property, const std::string& value) {
  if (property.words.empty()) {
    if (is_number(value)) return {};
    return Error{Code::Invalid, fmt::format("parameter {} takes a number from 1 to 256, not '{}'",
                                            property.key, value)};
  }
  const auto& words = property.words;
  if (std::find(words.begin(), words.end(), value) != words.end()) return {};
  return Error{Code::Invalid, fmt::format("parameter {} takes {}, not '{}'", property.key,
                                          fmt::join(words, ", "), value)};
}

}  // namespace

Result<Properties> properties_of(const Backend::Options& options, const std::string& device,
                                 const std::string& cache_dir) {
  Properties out{{"INFERENCE_PRECISION_HINT", "f32"}};
  if (device == "CPU") {
    out["INFERENCE_NUM_THREADS"] = std::to_string(options.threads * options.instances);
    out["ENABLE_CPU_PINNING"] = "NO";
  } else {
    out["ALLOW_AUTO_BATCHING"] = "NO";
  }
  if (!cache_dir.empty()) out["CACHE_DIR"] = cache_dir;
  for (const auto& property : known()) {
    const auto given = options.parameters.find(std::string{property.key});
    if (given == options.parameters.end()) continue;
    INFINIEDGE_TRY(check(property, given->second));
    out[given->first] = given->second;
  }
  const bool hint = out.contains("PERFORMANCE_HINT"), streams = out.contains("NUM_STREAMS");
  if (hint && streams) {
    return Error{Code::Invalid,
                 "parameters PERFORMANCE_HINT and NUM_STREAMS contradict each other: give one"};
  }
  if (!hint && !streams) {
    if (options.instances > 1) {
      out["NUM_STREAMS"] = std::to_string(options.instances);
    } else {
      out["PERFORMANCE_HINT"] = "LATENCY";
    }
  }
  return out;
}

}  // namespace infiniedge::model::openvino
