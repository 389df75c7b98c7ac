// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "infiniedge/result.hpp"
#include "infiniedge/task.hpp"
#include "infiniedge/time.hpp"

namespace infiniedge {

/// One sample to be answered: a feature row and where it came from.
struct Sample {
  std::string device;
  Timestamp ts;
  std::vector<float> features;  ///< The arguments of model(), concatenated.
};

/// How a sample was answered.
enum class Route : std::uint8_t {
  Edge,         ///< The student was sure.
  Teacher,      ///< The teacher answered.
  EdgeLate,     ///< The teacher was asked, but failed or was late; the student's answer.
  EdgeOffline,  ///< No link (or breaker open); the student's answer.
  EdgeBudget,   ///< No token left; the student's answer.
  EdgePrivate,  ///< The gate forbids sending; the student's answer.
  Abstain       ///< No answer: unsure, and the resource says abstain.
};

constexpr std::string_view to_string(Route route) {
  constexpr std::string_view kNames[] = {"edge",        "teacher",      "edge_late", "edge_offline",
                                         "edge_budget", "edge_private", "abstain"};
  return kNames[static_cast<int>(route)];
}

/// The answer to one sample. `label` empty: a regression, `score` is the value.
struct Prediction {
  std::string label;
  double score = 0;  ///< Calibrated probability of `label`, 0..1.
  Route route = Route::Edge;
  std::string error{};  ///< Not empty: no answer, and why.
};

/// Answers samples of one model: the model server alone, or a decision cascade over it.
///
/// Flow:    stream -> [Predictor] -> stream
/// Thread:  shard-bound.
/// Owner:   app; outlives the rules that call it.
/// Errors:  NotFound (model), Unavailable; a failure of one sample is in its Prediction.
class Predictor {
 public:
  virtual ~Predictor() = default;

  /// Length of a feature row, or 0 if the model takes any. For R009.
  virtual Result<std::size_t> width(const std::string& model) const = 0;
  /// One prediction a sample, in order.
  virtual Task<Result<std::vector<Prediction>>> predict(const std::string& model,
                                                        std::vector<Sample> samples) = 0;
};

}  // namespace infiniedge
