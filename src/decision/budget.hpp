// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

namespace infiniedge::decision {

/// Token bucket of teacher calls: every request earns `share` of a token, at most `burst` are
/// kept, a call spends one. So in the long run at most `share` of the requests is escalated.
///
/// Thread: one shard.
class Budget {
 public:
  Budget(double share, double burst) : share_(share), burst_(burst), tokens_(burst) {}

  void earn() { tokens_ = std::min(burst_, tokens_ + share_); }
  bool spend() {
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  double left() const { return tokens_; }

 private:
  double share_, burst_, tokens_;
};

}  // namespace infiniedge::decision
