// SPDX-License-Identifier: Apache-2.0
#include "model/openvino/executable.hpp"

#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "model/outputs.hpp"

namespace infiniedge::model::openvino {
namespace {

using E = OvElement;
constexpr E kElements[] = {E::Boolean, E::Uint8, E::Uint16, E::Uint32, E::Uint64,
                           E::Int8,    E::Int16, E::Int32,  E::Int64,  E::Fp16,
                           E::Fp32,    E::Fp64,  E::String, E::Bf16};

E element_from(DataType type) { return kElements[static_cast<int>(type)]; }

std::optional<DataType> type_from(E element) {
  for (std::size_t i = 0; i < std::size(kElements); ++i) {
    if (kElements[i] == element) return static_cast<DataType>(i);
  }
  return std::nullopt;
}

Result<std::string> name_of(const Library& library, const OvPort* port, std::size_t index) {
  char* text = nullptr;
  const auto status = library.table().ov_port_get_any_name(port, &text);
  if (auto named = library.check(status); !named) {
    return Error{Code::Unsupported,
                 fmt::format("tensor {} of the model has no name; name all inputs and outputs when "
                             "the model is exported",
                             index),
                 std::move(named).error()};
  }
  std::string out = text;
  library.table().ov_free(text);
  return out;
}

Result<TensorSpec> spec_of(const Library& library, const OvPort* port, std::size_t index) {
  auto name = name_of(library, port, index);
  if (!name) return std::move(name).error();
  TensorSpec spec{.name = std::move(*name), .shape = {}};
  OvElement element{};
  INFINIEDGE_TRY(library.check(library.table().ov_port_get_element_type(port, &element)));
  const auto type = type_from(element);
  if (!type || *type == DataType::Bytes) {
    return Error{Code::Unsupported,
                 fmt::format("'{}' has OpenVINO's element type {}, which is not served by this "
                             "backend",
                             spec.name, static_cast<int>(element))};
  }
  spec.type = *type;
  OvPartialShape shape{};
  INFINIEDGE_TRY(library.check(library.table().ov_port_get_partial_shape(port, &shape)));
  const bool ranked = shape.rank.min == shape.rank.max;
  for (std::int64_t i = 0; ranked && i < shape.rank.min; ++i) {
    const auto& dim = shape.dims[i];
    spec.shape.push_back(dim.min == dim.max ? dim.min : -1);
  }
  library.table().ov_partial_shape_free(&shape);
  if (ranked) return spec;
  return Error{Code::Unsupported, fmt::format("'{}' has no fixed number of dimensions; fix it when "
                                              "the model is exported",
                                              spec.name)};
}

template <class Count, class ByIndex>
Result<std::vector<TensorSpec>> side_of(const Compiled& compiled, Count count, ByIndex by_index) {
  const auto& library = *compiled.library;
  std::size_t size = 0;
  INFINIEDGE_TRY(library.check(count(compiled.model.get(), &size)));
  std::vector<TensorSpec> out;
  for (std::size_t i = 0; i < size; ++i) {
    Port port(library);
    INFINIEDGE_TRY(library.check(by_index(compiled.model.get(), i, port.out())));
    auto spec = spec_of(library, port.get(), i);
    if (!spec) return std::move(spec).error();
    out.push_back(std::move(*spec));
  }
  return out;
}

class OpenvinoExecutable final : public Executable {
 public:
  OpenvinoExecutable(std::shared_ptr<const Compiled> compiled, Request request)
      : compiled_(std::move(compiled)),
        library_(*compiled_->library),
        table_(library_.table()),
        request_(std::move(request)) {}

  const std::vector<TensorSpec>& inputs() const override { return compiled_->inputs; }
  const std::vector<TensorSpec>& outputs() const override { return compiled_->outputs; }
  std::string device() const override { return compiled_->device; }
  std::vector<Refusal> refusals() const override { return compiled_->refusals; }
  Result<std::unique_ptr<Executable>> another() const override {
    return make_executable(compiled_);
  }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs, std::stop_token stop) override;
  Result<void> run_into(std::span<const Tensor> inputs, std::span<const OutputView> outputs,
                        std::stop_token stop) override;

 private:
  Result<void> take_inputs(std::span<const Tensor> inputs);
  Result<void> lay_outputs(std::span<const OutputView> outputs);
  Result<TensorHandle> over(DataType type, std::span<const std::int64_t> shape, void* bytes) const;
  Result<void> infer(const std::stop_token& stop);
  Result<Tensor> copy_output(std::size_t index) const;

  std::shared_ptr<const Compiled> compiled_;
  const Library& library_;
  const OvTable& table_;
  Request request_;
  std::vector<std::vector<std::uint64_t>> aligned_;  ///< Copies of inputs that were not.
};

Result<TensorHandle> OpenvinoExecutable::over(DataType type, std::span<const std::int64_t> shape,
                                              void* bytes) const {
  static std::uint64_t nothing = 0;  // An empty tensor still needs an address.
  TensorHandle out(library_);
  const OvShape dims{static_cast<std::int64_t>(shape.size()),
                     const_cast<std::int64_t*>(shape.data())};
  INFINIEDGE_TRY(library_.check(table_.ov_tensor_create_from_host_ptr(
      element_from(type), dims, bytes == nullptr ? &nothing : bytes, out.out())));
  return out;
}

Result<void> OpenvinoExecutable::take_inputs(std::span<const Tensor> inputs) {
  const auto& specs = compiled_->inputs;
  if (inputs.size() != specs.size()) {
    return Error{Code::Invalid,
                 fmt::format("{} inputs given, {} needed", inputs.size(), specs.size())};
  }
  aligned_.resize(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& input = inputs[i];
    const auto width = element_size(input.type);
    const auto expected = static_cast<std::size_t>(input.elements()) * width;
    if (input.type != specs[i].type || input.data.size() != expected) {
      return Error{Code::Invalid,
                   fmt::format("input '{}' is {} bytes of {}, and {} bytes of {} are needed",
                               specs[i].name, input.data.size(), to_string(input.type), expected,
                               to_string(specs[i].type))};
    }
    const void* bytes = input.data.data();
    if (reinterpret_cast<std::uintptr_t>(bytes) % width != 0) {
      aligned_[i].resize(expected / 8 + 1);
      std::memcpy(aligned_[i].data(), bytes, expected);
      bytes = aligned_[i].data();
    }
    auto tensor = over(input.type, input.shape, const_cast<void*>(bytes));
    if (!tensor) return std::move(tensor).error();
    auto set = library_.check(
        table_.ov_infer_request_set_input_tensor_by_index(request_.get(), i, tensor->get()));
    if (!set) {  // Only the shape is left to be wrong.
      return Error{Code::Invalid, fmt::format("input '{}' does not fit the model", specs[i].name),
                   std::move(set).error()};
    }
  }
  return {};
}

Result<void> OpenvinoExecutable::lay_outputs(std::span<const OutputView> outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto tensor = over(outputs[i].type, outputs[i].shape, outputs[i].data.data());
    if (!tensor) return std::move(tensor).error();
    INFINIEDGE_TRY(library_.check(
        table_.ov_infer_request_set_output_tensor_by_index(request_.get(), i, tensor->get())));
  }
  return {};
}

/// Handing over to the library's own thread costs microseconds: only for who may give up.
Result<void> OpenvinoExecutable::infer(const std::stop_token& stop) {
  if (!stop.stop_possible()) {
    return library_.check(table_.ov_infer_request_infer(request_.get()));
  }
  if (stop.stop_requested()) return Error{Code::Cancelled, "the execution was cancelled"};
  INFINIEDGE_TRY(library_.check(table_.ov_infer_request_start_async(request_.get())));
  Result<void> ran;
  {
    std::stop_callback watch(stop,
                             [this] { (void)table_.ov_infer_request_cancel(request_.get()); });
    ran = library_.check(table_.ov_infer_request_wait(request_.get()));
  }
  if (!ran && stop.stop_requested()) return Error{Code::Cancelled, "the execution was cancelled"};
  return ran;
}

Result<Tensor> OpenvinoExecutable::copy_output(std::size_t index) const {
  const auto& spec = compiled_->outputs[index];
  TensorHandle handle(library_);
  INFINIEDGE_TRY(library_.check(
      table_.ov_infer_request_get_output_tensor_by_index(request_.get(), index, handle.out())));
  OvShape shape{};
  INFINIEDGE_TRY(library_.check(table_.ov_tensor_get_shape(handle.get(), &shape)));
  Tensor out{.name = spec.name, .type = spec.type, .shape = {shape.dims, shape.dims + shape.rank}};
  (void)table_.ov_shape_free(&shape);
  std::size_t bytes = 0;
  void* data = nullptr;
  INFINIEDGE_TRY(library_.check(table_.ov_tensor_get_byte_size(handle.get(), &bytes)));
  INFINIEDGE_TRY(library_.check(table_.ov_tensor_data(handle.get(), &data)));
  auto copy = std::make_shared<std::vector<std::uint64_t>>(bytes / 8 + 1);
  if (bytes > 0) std::memcpy(copy->data(), data, bytes);
  out.data = std::as_bytes(std::span(*copy)).first(bytes);
  out.owner = std::move(copy);
  return out;
}

Result<std::vector<Tensor>> OpenvinoExecutable::run(std::span<const Tensor> inputs,
                                                    std::stop_token stop) {
  if (compiled_->shapes_known && !inputs.empty() && !inputs[0].shape.empty()) {
    auto block = allocate_outputs(compiled_->outputs, inputs[0].shape[0]);
    INFINIEDGE_TRY(run_into(inputs, block.views, std::move(stop)));
    return std::move(block.tensors);
  }
  INFINIEDGE_TRY(take_inputs(inputs));
  INFINIEDGE_TRY(infer(stop));
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < compiled_->outputs.size(); ++i) {
    // The request's own memory is written by the next run.
    auto tensor = copy_output(i);
    if (!tensor) return std::move(tensor).error();
    out.push_back(std::move(*tensor));
  }
  return out;
}

Result<void> OpenvinoExecutable::run_into(std::span<const Tensor> inputs,
                                          std::span<const OutputView> outputs,
                                          std::stop_token stop) {
  if (!compiled_->shapes_known) {
    return Error{Code::Unsupported, "the shapes of the outputs are known only after the run"};
  }
  INFINIEDGE_TRY(take_inputs(inputs));
  const auto batch = inputs.empty() || inputs[0].shape.empty() ? 1 : inputs[0].shape[0];
  INFINIEDGE_TRY(check_views(compiled_->outputs, batch, outputs));
  INFINIEDGE_TRY(lay_outputs(outputs));
  return infer(stop);
}

}  // namespace

Result<void> describe(Compiled& compiled) {
  const auto& table = compiled.library->table();
  auto inputs = side_of(compiled, table.ov_compiled_model_inputs_size,
                        table.ov_compiled_model_input_by_index);
  if (!inputs) return std::move(inputs).error();
  auto outputs = side_of(compiled, table.ov_compiled_model_outputs_size,
                         table.ov_compiled_model_output_by_index);
  if (!outputs) return std::move(outputs).error();
  compiled.inputs = std::move(*inputs);
  compiled.outputs = std::move(*outputs);
  compiled.shapes_known = shapes_follow_batch(compiled.inputs, compiled.outputs);
  return {};
}

Result<std::unique_ptr<Executable>> make_executable(std::shared_ptr<const Compiled> compiled) {
  const auto& library = *compiled->library;
  Request request(library);
  INFINIEDGE_TRY(library.check(library.table().ov_compiled_model_create_infer_request(
      compiled->model.get(), request.out())));
  return std::make_unique<OpenvinoExecutable>(std::move(compiled), std::move(request));
}

}  // namespace infiniedge::model::openvino
