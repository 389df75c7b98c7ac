// SPDX-License-Identifier: Apache-2.0
#include "model/track_record.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace infiniedge::model {

void TrackRecord::note(bool failed, Instant now) {
  ++requests_;
  failures_ += failed ? 1 : 0;
  last_used_ = now;
}

void TrackRecord::took(Micros latency) {
  if (latencies_.size() < kKept) {
    latencies_.push_back(latency);
    return;
  }
  latencies_[next_] = latency;
  next_ = (next_ + 1) % kKept;
}

double TrackRecord::error_rate() const {
  return requests_ == 0 ? 0 : static_cast<double>(failures_) / static_cast<double>(requests_);
}

Micros TrackRecord::p99() const {
  if (latencies_.empty()) return Micros{0};
  auto sorted = latencies_;
  // One that the machine held up is no evidence, also where it is more than a hundredth.
  const auto last = std::max<std::size_t>(sorted.size(), 2) - 2;
  const auto rank = std::min((sorted.size() * 99 + 99) / 100 - 1, last);
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank),
                   sorted.end());
  return sorted[rank];
}

std::optional<std::string> Probation::verdict(const TrackRecord& old, const TrackRecord& fresh,
                                              bool over) const {
  // Before the time is up only what the outstanding requests cannot mend is held against it.
  const auto seen = over ? fresh.requests() : std::max(fresh.requests(), requests);
  const double rate =
      seen == 0 ? 0 : static_cast<double>(fresh.failures()) / static_cast<double>(seen);
  if (rate > std::max(error_rate, old.error_rate() + error_rate)) {
    return fmt::format("{} of {} requests failed ({:.1f} % with the version before)",
                       fresh.failures(), fresh.requests(), old.error_rate() * 100);
  }
  const bool enough = fresh.timed() >= enough_timed && old.timed() >= enough_timed;
  if (!enough || (!over && !satisfied(fresh))) return std::nullopt;
  const auto limit = std::max<std::int64_t>(
      noticeable.count(),
      static_cast<std::int64_t>(static_cast<double>(old.p99().count()) * slower));
  if (fresh.p99().count() <= limit) return std::nullopt;
  return fmt::format("99 % of requests took up to {} us, {} us with the version before",
                     fresh.p99().count(), old.p99().count());
}

}  // namespace infiniedge::model
