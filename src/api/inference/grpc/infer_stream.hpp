// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/inference/grpc/service.hpp"

namespace infiniedge::api::inference::grpc {

/// Runs a ModelStreamInfer call: requests infer side by side, their answers leave in the order of
/// the requests. An error is an answer too, unless the call's metadata say `triton_grpc_error:
/// true`: then the first ends the call.
Task<rpc::Status> infer_stream(Service& service, rpc::Call& call);

}  // namespace infiniedge::api::inference::grpc
