// SPDX-License-Identifier: Apache-2.0
#include "api/inference/grpc/infer_write.hpp"

#include "api/inference/answer_write.hpp"
#include "api/inference/grpc/wire.hpp"
#include "base/bytes.hpp"

namespace infiniedge::api::inference::grpc {
namespace {

/// Below it a copy is cheaper than to keep the tensor for the socket.
constexpr std::size_t kWorthReferring = 4U << 10;

std::string tensor_message(const Tensor& tensor) {
  std::string out, shape;
  put_bytes(out, 1, tensor.name);
  put_bytes(out, 2, to_string(tensor.type));
  for (const auto dim : tensor.shape) put_varint(shape, static_cast<std::uint64_t>(dim));
  if (!shape.empty()) put_bytes(out, 3, shape);
  return out;
}

/// An entry of `parameters` that is true.
std::string true_parameter(std::string_view name) {
  std::string value, entry;
  put_integer(value, 1, 1);
  put_bytes(entry, 1, name);
  put_bytes(entry, 2, value);
  return entry;
}

Result<rpc::Payload> write(const Call& call, const model::InferResponse& answer, bool streamed) {
  rpc::Payload out;
  auto& head = out.text();
  put_bytes(head, 1, answer.config->name);
  put_bytes(head, 2, std::to_string(answer.version));
  if (!call.id.empty()) put_bytes(head, 3, call.id);
  if (streamed) put_bytes(head, 4, true_parameter("triton_final_response"));
  auto tensors = wished_outputs(call, answer);
  if (!tensors) return std::move(tensors).error();
  for (const auto& tensor : *tensors) put_bytes(head, 5, tensor_message(tensor));
  for (std::size_t i = 0; i < tensors->size(); ++i) {
    auto& tensor = (*tensors)[i];
    if (i < call.outputs.size() && call.outputs[i].object) {
      INFINIEDGE_TRY(write_to_region(call.outputs[i], tensor));
      tensor.data = {};
    }
    const auto bytes = base::as_text(tensor.data);
    auto& text = out.text();
    put_tag(text, 6, WireType::Bytes);
    put_varint(text, bytes.size());
    if (bytes.size() < kWorthReferring || !tensor.owner) {
      text.append(bytes);
    } else {
      out.add(bytes, tensor.owner);
    }
  }
  return out;
}

}  // namespace

Result<rpc::Payload> write_infer(const Call& call, const model::InferResponse& answer) {
  return write(call, answer, false);
}

Result<rpc::Payload> write_stream_infer(const Call& call, const model::InferResponse& answer) {
  auto inner = write(call, answer, true);
  if (!inner) return inner;
  std::string prefix;
  put_tag(prefix, 2, WireType::Bytes);
  put_varint(prefix, inner->size());
  inner->prepend(prefix);
  return inner;
}

rpc::Payload write_stream_error(std::string_view id, std::string_view sentence) {
  rpc::Payload out;
  std::string inner;
  if (!id.empty()) put_bytes(inner, 3, id);
  put_bytes(out.text(), 1, sentence);
  put_bytes(out.text(), 2, inner);
  return out;
}

}  // namespace infiniedge::api::inference::grpc
