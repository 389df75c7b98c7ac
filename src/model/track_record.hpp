// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "infiniedge/time.hpp"

namespace infiniedge::model {

/// How the requests of one version went: what probation judges by.
///
/// Thread: the server's shard.
class TrackRecord {
 public:
  static constexpr std::size_t kKept = 1000;  ///< Latencies, the newest.

  /// A request that the version had to answer. Refusals and cancelled requests are none.
  void note(bool failed, Instant now);
  /// How long an answer took; not of those that its own measuring may have held up.
  void took(Micros latency);

  std::uint64_t requests() const { return requests_; }
  std::uint64_t failures() const { return failures_; }
  std::size_t timed() const { return latencies_.size(); }
  double error_rate() const;
  /// Nearest rank, but never the single slowest; zero without any.
  Micros p99() const;
  Instant last_used() const { return last_used_; }

 private:
  std::uint64_t requests_ = 0, failures_ = 0;
  std::vector<Micros> latencies_;  ///< A ring once it is full.
  std::size_t next_ = 0;
  Instant last_used_{};
};

/// When a new version has proven itself.
struct Probation {
  Micros time{Seconds{60}};
  std::uint64_t requests = 100;
  double error_rate = 0.01;
  double slower = 3;              ///< Times the old version's p99.
  Micros noticeable{Millis{1}};   ///< A p99 below this is never too slow.
  std::size_t enough_timed = 20;  ///< Latencies on both sides, before they are compared.

  /// Why `fresh` must go, in a sentence; nothing while it may stay. `over`: the time is up.
  std::optional<std::string> verdict(const TrackRecord& old, const TrackRecord& fresh,
                                     bool over) const;
  /// True once enough requests were seen to stop watching.
  bool satisfied(const TrackRecord& fresh) const { return fresh.timed() >= requests; }
};

}  // namespace infiniedge::model
