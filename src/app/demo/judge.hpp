// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/node_client.hpp"
#include "infiniedge/result.hpp"

namespace infiniedge::app::demo {

/// What `infiniedge demo --check` prints, and whether it holds.
struct Summary {
  std::uint64_t recordings = 0;    ///< Switch-ons that the plugs published.
  std::uint64_t answered = 0;      ///< Of these, with an answer.
  std::uint64_t edge_answers = 0;  ///< Answered by the student alone.
  std::uint64_t escalated = 0;     ///< Answered by the teacher.
  double accuracy_edge = 0;        ///< Of the student on all recordings, had it been alone.
  double accuracy_accepted = 0;    ///< Of the student where its answer stood.
  double accuracy_all = 0;         ///< Of the answers given, by student or teacher.
  std::uint64_t rows_stored = 0, rows_at_hub = 0;  ///< Of the streams that are forwarded.
  std::uint64_t rows_lost = 0;  ///< Sequence numbers missing or double at the hub.
  std::uint64_t alarm_count = 0;
  double model_p50_us = 0, model_p99_us = 0, decision_p99_ms = 0, node_rss_mib = 0, start_ms = 0;

  std::string json() const;
  /// Empty if everything holds, else what does not.
  std::vector<std::string> faults() const;
};

/// Asks node and hub; `labels`: the truth by recording index, as the plugs know it.
/// Errors: those of the calls.
Result<Summary> judge(NodeClient& node, NodeClient& hub, const std::vector<std::string>& labels,
                      std::uint64_t published, double start_ms);

}  // namespace infiniedge::app::demo
