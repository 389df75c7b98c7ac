// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/inference/call.hpp"
#include "api/inference/json_read.hpp"

namespace infiniedge::api::inference {

/// Reads one parameter of a request; those that mean nothing here are the client's own.
/// Errors: Invalid with the path, and for names that are reserved.
Result<void> read_call_parameter(const Where& here, std::string_view key,
                                 simdjson::ondemand::value value, Call& call);

/// Of parameters that mean nothing here: they are scalars all the same.
Result<void> check_parameter(const Where& here, simdjson::ondemand::value value);

/// After the last parameter: a request without a sequence's name belongs to none.
void settle_sequence(Call& call);

}  // namespace infiniedge::api::inference
