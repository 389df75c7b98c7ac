// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/executable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "model/onnx/tensors.hpp"
#include "model/outputs.hpp"

namespace infiniedge::model::onnx {
namespace {

using TypeInfo = Owned<OrtTypeInfo, ReleaseTypeInfo>;
using RunOptions = Owned<OrtRunOptions, ReleaseRunOptions>;

/// The first run after such a pause gives the arena's unused memory back when it ends.
constexpr auto kIdle = std::chrono::seconds{60};

Result<void> read_type(const Library& library, const OrtTypeInfo* info, TensorSpec& spec,
                       std::string& batch) {
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  INFINIEDGE_TRY(library.call<CastTypeInfoToTensorInfo>(info, &tensor));
  if (tensor == nullptr) {
    return Error{Code::Unsupported,
                 fmt::format("'{}' is a sequence, map or optional; only tensors are served. Export "
                             "the model with tensor outputs (scikit-learn: zipmap=False)",
                             spec.name)};
  }
  int element = 0;
  std::size_t rank = 0;
  INFINIEDGE_TRY(library.call<GetTensorElementType>(tensor, &element));
  INFINIEDGE_TRY(library.call<GetDimensionsCount>(tensor, &rank));
  spec.shape.resize(rank);
  INFINIEDGE_TRY(library.call<GetDimensions>(tensor, spec.shape.data(), rank));
  std::vector<const char*> symbols(rank, nullptr);
  INFINIEDGE_TRY(library.call<GetSymbolicDimensions>(tensor, symbols.data(), rank));
  batch = rank > 0 && symbols[0] != nullptr ? symbols[0] : "";
  const auto type = type_from(element);
  if (!type) {
    return Error{Code::Unsupported, fmt::format("'{}' has element type {}, which has no OIP name",
                                                spec.name, element)};
  }
  spec.type = *type;
  return {};
}

/// `batches` gets the symbol of each tensor's first dimension.
template <class Count, class Name, class Info>
Result<void> describe_side(const Loaded& loaded, std::vector<TensorSpec>& specs,
                           std::vector<const char*>& names, std::vector<std::string>& batches) {
  const auto& library = *loaded.library;
  const OrtSession* session = loaded.session.get();
  std::size_t count = 0;
  INFINIEDGE_TRY(library.call<Count>(session, &count));
  specs.reserve(count);  // `names` points into it.
  for (std::size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    INFINIEDGE_TRY(library.call<Name>(session, i, library.allocator(), &name));
    TensorSpec spec{.name = name};
    (void)library.call<AllocatorFree>(library.allocator(), static_cast<void*>(name));
    TypeInfo info(library);
    INFINIEDGE_TRY(library.call<Info>(session, i, info.out()));
    INFINIEDGE_TRY(read_type(library, info.get(), spec, batches.emplace_back()));
    specs.push_back(std::move(spec));
    names.push_back(specs.back().name.c_str());
  }
  return {};
}

class OnnxExecutable final : public Executable {
 public:
  explicit OnnxExecutable(std::shared_ptr<const Loaded> loaded)
      : loaded_(std::move(loaded)),
        library_(*loaded_->library),
        shapes_known_(loaded_->shapes_known),
        options_(library_),
        shrinking_(library_) {}

  Result<void> make_options() {
    INFINIEDGE_TRY(library_.call<CreateRunOptions>(options_.out()));
    INFINIEDGE_TRY(library_.call<CreateRunOptions>(shrinking_.out()));
    return library_.call<AddRunConfigEntry>(shrinking_.get(),
                                            "memory.enable_memory_arena_shrinkage", "cpu:0");
  }

  const std::vector<TensorSpec>& inputs() const override { return loaded_->inputs; }
  const std::vector<TensorSpec>& outputs() const override { return loaded_->outputs; }
  std::string device() const override { return loaded_->device; }
  std::vector<Refusal> refusals() const override { return loaded_->refusals; }
  Result<std::unique_ptr<Executable>> another() const override { return make_executable(loaded_); }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs, std::stop_token stop) override;
  Result<void> run_into(std::span<const Tensor> inputs, std::span<const OutputView> outputs,
                        std::stop_token stop) override;

 private:
  Result<void> take_inputs(std::span<const Tensor> inputs);
  Result<void> call_session(std::vector<OrtValue*>& results, const std::stop_token& stop);

  std::shared_ptr<const Loaded> loaded_;
  const Library& library_;
  bool shapes_known_;
  RunOptions options_, shrinking_;
  std::chrono::steady_clock::time_point last_run_ = std::chrono::steady_clock::now();
  // Of the run under way; kept for their memory.
  std::vector<Value> values_;
  std::vector<const OrtValue*> pointers_;
  std::vector<std::shared_ptr<const void>> copies_;
};

Result<void> OnnxExecutable::take_inputs(std::span<const Tensor> inputs) {
  if (inputs.size() != loaded_->inputs.size()) {
    return Error{Code::Invalid,
                 fmt::format("{} inputs given, {} needed", inputs.size(), loaded_->inputs.size())};
  }
  values_.clear();
  pointers_.clear();
  copies_.resize(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values_.emplace_back(library_);
    INFINIEDGE_TRY(to_value(library_, inputs[i], copies_[i], values_.back()));
    pointers_.push_back(values_.back().get());
  }
  return {};
}

/// Results that are null are made by the runtime.
Result<void> OnnxExecutable::call_session(std::vector<OrtValue*>& results,
                                          const std::stop_token& stop) {
  const auto now = std::chrono::steady_clock::now();
  auto* options = now - last_run_ > kIdle ? shrinking_.get() : options_.get();
  last_run_ = now;
  // A Run that was told to stop fails with code 1 like any other: our own token tells them apart.
  const auto terminate = [this, options] { (void)library_.call<RunOptionsSetTerminate>(options); };
  Result<void> ran;
  {
    std::stop_callback watch(stop, terminate);
    ran = library_.call<RunSession>(
        loaded_->session.get(), static_cast<const OrtRunOptions*>(options),
        loaded_->input_names.data(), pointers_.data(), pointers_.size(),
        loaded_->output_names.data(), loaded_->output_names.size(), results.data());
  }
  if (stop.stop_requested()) {
    (void)library_.call<RunOptionsUnsetTerminate>(options);
    if (!ran) return Error{Code::Cancelled, "the execution was cancelled"};
  }
  return ran;
}

Result<std::vector<Tensor>> OnnxExecutable::run(std::span<const Tensor> inputs,
                                                std::stop_token stop) {
  if (shapes_known_ && !inputs.empty() && !inputs[0].shape.empty()) {
    auto block = allocate_outputs(loaded_->outputs, inputs[0].shape[0]);
    auto ran = run_into(inputs, block.views, stop);
    if (ran) return std::move(block.tensors);
    if (ran.error().code() == Code::Cancelled) return std::move(ran).error();
    shapes_known_ = false;  // Files are known to declare shapes that do not come out.
  }
  INFINIEDGE_TRY(take_inputs(inputs));
  std::vector<OrtValue*> results(loaded_->outputs.size(), nullptr);
  auto ran = call_session(results, stop);
  std::vector<Value> produced;  // Frees what a failed run may have left.
  produced.reserve(results.size());
  for (auto* result : results) {
    produced.emplace_back(library_);
    *produced.back().out() = result;
  }
  if (!ran) return std::move(ran).error();
  std::vector<Tensor> out;
  out.reserve(produced.size());
  for (std::size_t i = 0; i < produced.size(); ++i) {
    auto tensor = to_tensor(loaded_->library, loaded_->outputs[i].name, std::move(produced[i]));
    if (!tensor) return std::move(tensor).error();
    out.push_back(std::move(*tensor));
  }
  return out;
}

Result<void> OnnxExecutable::run_into(std::span<const Tensor> inputs,
                                      std::span<const OutputView> outputs, std::stop_token stop) {
  if (!shapes_known_) {
    return Error{Code::Unsupported, "the shapes of the outputs are known only after the run"};
  }
  INFINIEDGE_TRY(take_inputs(inputs));
  const auto batch = inputs.empty() || inputs[0].shape.empty() ? 1 : inputs[0].shape[0];
  INFINIEDGE_TRY(check_views(loaded_->outputs, batch, outputs));
  std::vector<Value> laid;
  std::vector<OrtValue*> results;
  laid.reserve(outputs.size());
  results.reserve(outputs.size());
  for (const auto& view : outputs) {
    laid.emplace_back(library_);
    INFINIEDGE_TRY(to_value(library_, view, laid.back()));
    results.push_back(laid.back().get());
  }
  return call_session(results, stop);
}

}  // namespace

Result<void> describe(Loaded& loaded) {
  std::vector<std::string> batches;
  INFINIEDGE_TRY((describe_side<SessionGetInputCount, SessionGetInputName, SessionGetInputTypeInfo>(
      loaded, loaded.inputs, loaded.input_names, batches)));
  INFINIEDGE_TRY(
      (describe_side<SessionGetOutputCount, SessionGetOutputName, SessionGetOutputTypeInfo>(
          loaded, loaded.outputs, loaded.output_names, batches)));
  // A leading dimension with another name is another dimension.
  const bool one_batch = std::all_of(batches.begin(), batches.end(),
                                     [&](const auto& name) { return name == batches.front(); });
  const bool named = !batches.empty() && !batches.front().empty();
  const bool open = std::any_of(loaded.outputs.begin(), loaded.outputs.end(),
                                [](const auto& s) { return !s.shape.empty() && s.shape[0] < 0; });
  loaded.shapes_known =
      (!open || (one_batch && named)) && shapes_follow_batch(loaded.inputs, loaded.outputs);
  return {};
}

Result<std::unique_ptr<Executable>> make_executable(std::shared_ptr<const Loaded> loaded) {
  auto out = std::make_unique<OnnxExecutable>(std::move(loaded));
  INFINIEDGE_TRY(out->make_options());
  return out;
}

}  // namespace infiniedge::model::onnx
