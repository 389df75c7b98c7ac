// SPDX-License-Identifier: Apache-2.0
// Sequences and ensembles in a ModelConfig.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "model/ensemble_config.hpp"
#include "model/pbtxt_fields.hpp"
#include "model/sequence_config.hpp"

namespace infiniedge::model {

/// `sequence_batching { … }`. Errors: Invalid with the position.
Result<void> read_sequences(const pbtxt::Context& context, const PbValue& value,
                            SequenceBatching& out);
/// `ensemble_scheduling { step [ … ] }`. Errors: Invalid with the position.
Result<void> read_ensemble(const pbtxt::Context& context, const PbValue& value,
                           ModelConfig& config);

/// With the names of Triton's protocol.
boost::json::object to_json(const SequenceBatching& sequences);
boost::json::object to_json(const std::vector<EnsembleStep>& steps);

}  // namespace infiniedge::model
