// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <utility>

#include "runtime/entropy.hpp"
#include "sync/link.hpp"

namespace infiniedge::sync::testing {

/// How badly a simulated link behaves; probabilities of each message.
struct LinkFaults {
  double cut = 0;        ///< The connection breaks, with what is under way lost or not.
  double duplicate = 0;  ///< The message arrives twice (greetings and credit excepted).
};

/// The two ends of a connection in memory.
///
/// Thread: one shard. `entropy` and the executor outlive both ends.
std::pair<std::shared_ptr<Link>, std::shared_ptr<Link>> make_sim_link(
    boost::asio::any_io_executor executor, runtime::Entropy& entropy, LinkFaults faults);

}  // namespace infiniedge::sync::testing
