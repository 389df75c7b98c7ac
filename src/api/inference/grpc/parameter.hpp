// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/inference/call.hpp"
#include "api/inference/grpc/wire.hpp"

namespace infiniedge::api::inference::grpc {

/// An entry of a `parameters` map: a name and an InferParameter (or a
/// ModelRepositoryParameter, whose bytes are text here). Views point into the message.
struct Parameter {
  std::string_view name;
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string_view> value;

  /// Of either integer arm, if it fits.
  std::optional<std::int64_t> integer() const;
};

/// Errors: Invalid when the bytes are no such entry.
Result<Parameter> read_parameter(const Field& entry);

/// Takes one of the parameters that begin with shared_memory. Errors: Invalid, naming it.
Result<void> read_slice(const Parameter& parameter, std::optional<SharedSlice>& slice);

/// Takes a parameter of a request; those that mean nothing here are the client's own.
/// Errors: Invalid, naming the parameter.
Result<void> read_call_parameter(const Parameter& parameter, Call& call);

}  // namespace infiniedge::api::inference::grpc
