// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/inference/call.hpp"
#include "api/rpc/framing.hpp"

namespace infiniedge::api::inference::grpc {

/// Writes a ModelInferResponse: one raw_output_contents for every output, sent from where its
/// tensor lies. Errors: those of classification.
Result<rpc::Payload> write_infer(const Call& call, const model::InferResponse& answer);

/// Writes a ModelStreamInferResponse with the answer, which is the last to its request.
Result<rpc::Payload> write_stream_infer(const Call& call, const model::InferResponse& answer);
/// The same with an error instead.
rpc::Payload write_stream_error(std::string_view id, std::string_view sentence);

}  // namespace infiniedge::api::inference::grpc
