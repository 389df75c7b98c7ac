// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "infiniedge/time.hpp"
#include "runtime/entropy.hpp"
#include "runtime/metrics.hpp"
#include "runtime/workers.hpp"

namespace infiniedge::device {

class Latest;

/// What a connector may touch of the world. Everything outlives the connector.
struct Environment {
  boost::asio::any_io_executor executor;  ///< Of the device's shard.
  Clock& clock;
  runtime::Entropy& entropy;
  runtime::Workers& workers;  ///< For blocking calls: DNS, files.
  runtime::Metrics& metrics;
  Latest* latest = nullptr;  ///< Set by the supervisor: where the last value of a point is kept.
};

}  // namespace infiniedge::device
