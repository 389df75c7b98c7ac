// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "decision/breaker.hpp"
#include "decision/budget.hpp"
#include "decision/teacher.hpp"
#include "infiniedge/batch.hpp"
#include "infiniedge/predictor.hpp"
#include "model/server.hpp"
#include "runtime/metrics.hpp"

namespace infiniedge::decision {

/// Why a sample went where it went; the values of the column `reason`.
enum class Reason : std::uint8_t { Accept, LowScore, InvalidOutput };

constexpr std::string_view to_string(Reason reason) {
  constexpr std::string_view kNames[] = {"accept", "low_score", "invalid_output"};
  return kNames[static_cast<int>(reason)];
}

struct CascadeSpec {
  std::string model;       ///< The student.
  double threshold = 0.8;  ///< τ: calibrated score from which the student's answer stands.
  Micros timeout{Millis{800}};
  double share = 0.05, burst = 50;
  bool abstain_offline = false;  ///< Without a teacher: no answer instead of the student's.
};

/// Counts since the start, for console and API.
struct CascadeStats {
  std::map<Route, std::uint64_t> routes;
  double edge_p50_us = 0, edge_p99_us = 0;
  double decision_p99_ms = 0;  ///< Whole decision, teacher included.
  double threshold = 0, budget_left = 0;
  bool teacher_reachable = true;

  std::uint64_t total() const;
  double cloud_share() const;
};

/// Decides who answers: the student if its calibrated score is at least τ, else the teacher
/// within deadline and budget, else the student's doubtful answer or none.
///
/// Flow:    stream -> [Cascade] -> stream; each decision -> Output -> store
/// Thread:  the node's shard.
/// Owner:   app. Server, clock, entropy and metrics outlive it.
/// Errors:  those of the student; a teacher that fails is a route, not an error.
/// Source:  learning.md §2-4 of the design. The risk certificate will set τ; until then the
///          resource does, and no answer is `certified`.
class Cascade final : public Predictor {
 public:
  /// Rows of `<model>__decision`.
  using Output = std::function<void(Batch)>;

  Cascade(Clock& clock, runtime::Entropy& entropy, runtime::Metrics& metrics, model::Server& server,
          Output output);
  ~Cascade() override;

  /// Puts a teacher behind a model. Replaces an earlier one; counts stay.
  void put(CascadeSpec spec, std::shared_ptr<Teacher> teacher);
  /// From now on the student answers alone.
  void remove(const std::string& model);
  CascadeStats stats(const std::string& model) const;
  /// Schema of `<model>__decision`.
  static SchemaPtr decision_schema(const std::string& model);

  Result<std::size_t> width(const std::string& model) const override;
  Task<Result<std::vector<Prediction>>> predict(const std::string& model,
                                                std::vector<Sample> samples) override;

 private:
  struct Entry;
  struct Decision;
  Entry& entry(const std::string& model);
  void gate(Entry& entry, std::vector<Decision>& decisions) const;
  Task<void> escalate(std::shared_ptr<Entry> entry, const std::vector<Sample>& samples,
                      std::vector<Decision>& decisions);
  void settle(Entry& entry, const std::vector<Sample>& samples,
              const std::vector<Decision>& decisions, std::int64_t version);

  Clock& clock_;
  runtime::Entropy& entropy_;
  runtime::Metrics& metrics_;
  model::Server& server_;
  Output output_;
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_;
};

}  // namespace infiniedge::decision
