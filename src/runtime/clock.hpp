// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "infiniedge/time.hpp"

namespace infiniedge::runtime {

/// The machine's time.
class SystemClock final : public Clock {
 public:
  Timestamp wall() const override;
  Instant now() const override;
  Task<Result<void>> sleep_until(Instant when) override;
};

}  // namespace infiniedge::runtime
