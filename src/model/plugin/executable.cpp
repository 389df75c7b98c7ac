// SPDX-License-Identifier: Apache-2.0
#include "model/plugin/executable.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/utf8.hpp"
#include "model/outputs.hpp"

namespace infiniedge::model::plugin {
namespace {

constexpr std::uint32_t kMaxTensors = 1024;
constexpr std::uint32_t kMaxRank = 32;
constexpr std::size_t kFirstRoom = 4096;      // For an output of unknown size.
constexpr std::size_t kMaxOutput = 1U << 30;  // What an output may ask for.

static_assert(INFINIEDGE_BF16 == static_cast<int>(DataType::Bf16));
static_assert(INFINIEDGE_INTERNAL == static_cast<int>(Code::Internal) + 1);
static_assert(sizeof(std::atomic<std::int32_t>) == sizeof(std::int32_t));

Error broken(const Loaded& loaded, std::string_view what) {
  return {Code::Internal,
          fmt::format("plugin '{}' breaks its contract: {}", loaded.table->name, what)};
}

Result<TensorSpec> spec_of(const Loaded& loaded, const infiniedge_spec& spec) {
  if (spec.name == nullptr || *spec.name == 0 || std::strlen(spec.name) > 255) {
    return broken(loaded, "a tensor has no name");
  }
  if (spec.type < 0 || spec.type > INFINIEDGE_BF16 || spec.rank > kMaxRank ||
      (spec.rank > 0 && spec.shape == nullptr)) {
    return broken(loaded, fmt::format("'{}' has no type or shape", spec.name));
  }
  TensorSpec out{.name = spec.name, .type = static_cast<DataType>(spec.type), .shape = {}};
  for (std::uint32_t i = 0; i < spec.rank; ++i) {
    if (spec.shape[i] < -1) return broken(loaded, fmt::format("'{}' has a bad shape", spec.name));
    out.shape.push_back(spec.shape[i]);
  }
  return out;
}

Result<std::vector<TensorSpec>> side_of(const Loaded& loaded, const infiniedge_spec* specs,
                                        std::uint32_t count) {
  if (count > kMaxTensors || (count > 0 && specs == nullptr)) {
    return broken(loaded, "it describes no tensors, or too many");
  }
  std::vector<TensorSpec> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto spec = spec_of(loaded, specs[i]);
    if (!spec) return std::move(spec).error();
    out.push_back(std::move(*spec));
  }
  return out;
}

class PluginExecutable final : public Executable {
 public:
  explicit PluginExecutable(std::shared_ptr<const Loaded> loaded)
      : loaded_(std::move(loaded)), rooms_(loaded_->outputs.size(), kFirstRoom) {}
  ~PluginExecutable() override {
    if (instance_ != nullptr) loaded_->table->release_instance(instance_);
  }

  Result<void> start() {
    Complaint complaint;
    INFINIEDGE_TRY(
        complaint.result(loaded_->table->instance(loaded_->model, &instance_, complaint.out()),
                         loaded_->table->name));
    if (instance_ == nullptr) return broken(*loaded_, "it returns no instance");
    return {};
  }

  const std::vector<TensorSpec>& inputs() const override { return loaded_->inputs; }
  const std::vector<TensorSpec>& outputs() const override { return loaded_->outputs; }
  std::string device() const override { return loaded_->device; }
  Result<std::unique_ptr<Executable>> another() const override { return make_executable(loaded_); }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs, std::stop_token stop) override {
    if (loaded_->shapes_known && !inputs.empty() && !inputs[0].shape.empty()) {
      auto block = allocate_outputs(loaded_->outputs, inputs[0].shape[0]);
      INFINIEDGE_TRY(run_into(inputs, block.views, std::move(stop)));
      return std::move(block.tensors);
    }
    auto ran = run_in_rooms(inputs, stop);
    if (ran || ran.error().code() != Code::Exhausted || !grow()) return ran;
    return run_in_rooms(inputs, stop);
  }

  Result<void> run_into(std::span<const Tensor> inputs, std::span<const OutputView> outputs,
                        std::stop_token stop) override {
    if (outputs.size() != loaded_->outputs.size()) {
      return Error{Code::Invalid, fmt::format("{} outputs given, {} needed", outputs.size(),
                                              loaded_->outputs.size())};
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      prepare(i, outputs[i].data.data(), outputs[i].data.size());
    }
    INFINIEDGE_TRY(call(inputs, stop));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      INFINIEDGE_TRY(check_output(i));
      const auto& shape = shapes_[i];
      if (outputs[i].type != loaded_->outputs[i].type ||
          results_[i].bytes != outputs[i].data.size() ||
          !std::equal(shape.begin(), shape.end(), outputs[i].shape.begin(),
                      outputs[i].shape.end())) {
        return Error{Code::Invalid,
                     fmt::format("output '{}' is {} [{}], and the memory given is of another shape",
                                 loaded_->outputs[i].name, to_string(loaded_->outputs[i].type),
                                 fmt::join(shape, ","))};
      }
    }
    return {};
  }

 private:
  Result<std::vector<Tensor>> run_in_rooms(std::span<const Tensor> inputs,
                                           const std::stop_token& stop);
  void prepare(std::size_t output, void* data, std::size_t capacity);
  Result<void> take_inputs(std::span<const Tensor> inputs);
  Result<void> call(std::span<const Tensor> inputs, const std::stop_token& stop);
  Result<void> check_output(std::size_t index) const;
  bool grow();

  std::shared_ptr<const Loaded> loaded_;
  infiniedge_instance* instance_ = nullptr;
  std::vector<std::size_t> rooms_;  ///< Bytes that each output of unknown size was seen to need.
  // Of the run under way; kept for their memory.
  std::vector<infiniedge_input> views_;
  std::vector<infiniedge_output> results_ = std::vector<infiniedge_output>(loaded_->outputs.size());
  std::vector<std::vector<std::int64_t>> shapes_ =
      std::vector<std::vector<std::int64_t>>(loaded_->outputs.size());
  std::vector<std::vector<std::uint64_t>> aligned_;
};

void PluginExecutable::prepare(std::size_t output, void* data, std::size_t capacity) {
  const auto& spec = loaded_->outputs[output];
  shapes_[output].assign(spec.shape.size(), 0);
  results_[output] = {static_cast<std::int32_t>(spec.type),
                      static_cast<std::uint32_t>(spec.shape.size()),
                      shapes_[output].data(),
                      data,
                      capacity,
                      0};
}

Result<void> PluginExecutable::take_inputs(std::span<const Tensor> inputs) {
  if (inputs.size() != loaded_->inputs.size()) {
    return Error{Code::Invalid,
                 fmt::format("{} inputs given, {} needed", inputs.size(), loaded_->inputs.size())};
  }
  views_.clear();
  aligned_.resize(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& input = inputs[i];
    const auto& spec = loaded_->inputs[i];
    if (input.type != spec.type || input.shape.size() != spec.shape.size()) {
      return Error{Code::Invalid, fmt::format("input '{}' takes {} of {} dimensions", spec.name,
                                              to_string(spec.type), spec.shape.size())};
    }
    const void* data = input.data.data();
    const auto width = std::max<std::size_t>(1, element_size(input.type));
    if (reinterpret_cast<std::uintptr_t>(data) % width != 0) {
      aligned_[i].resize(input.data.size() / 8 + 1);
      std::memcpy(aligned_[i].data(), data, input.data.size());
      data = aligned_[i].data();
    }
    views_.push_back({static_cast<std::int32_t>(input.type),
                      static_cast<std::uint32_t>(input.shape.size()), input.shape.data(), data,
                      input.data.size()});
  }
  return {};
}

Result<void> PluginExecutable::call(std::span<const Tensor> inputs, const std::stop_token& stop) {
  INFINIEDGE_TRY(take_inputs(inputs));
  alignas(alignof(std::int32_t)) std::int32_t flag = stop.stop_requested() ? 1 : 0;
  std::stop_callback watch(stop,
                           [&flag] { std::atomic_ref(flag).store(1, std::memory_order_relaxed); });
  Complaint complaint;
  return complaint.result(
      loaded_->table->run(instance_, views_.data(), results_.data(), &flag, complaint.out()),
      loaded_->table->name);
}

/// What the plugin says about an output is believed only where it cannot hurt.
Result<void> PluginExecutable::check_output(std::size_t index) const {
  const auto& spec = loaded_->outputs[index];
  const auto& result = results_[index];
  std::int64_t elements = 1;
  for (std::size_t d = 0; d < spec.shape.size(); ++d) {
    const auto dim = shapes_[index][d];
    if (dim < 0 || (spec.shape[d] >= 0 && dim != spec.shape[d]) ||
        __builtin_mul_overflow(elements, dim, &elements)) {
      return broken(*loaded_, fmt::format("output '{}' comes with the shape [{}]", spec.name,
                                          fmt::join(shapes_[index], ",")));
    }
  }
  const auto width = element_size(spec.type);
  if (result.bytes <= result.capacity &&
      (width == 0 || static_cast<std::uint64_t>(elements) == result.bytes / width) &&
      (width == 0 || result.bytes % width == 0)) {
    return {};
  }
  return broken(*loaded_, fmt::format("output '{}' of shape [{}] comes with {} bytes", spec.name,
                                      fmt::join(shapes_[index], ","), result.bytes));
}

/// True if some output asked for more room, within reason.
bool PluginExecutable::grow() {
  bool grown = false;
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    if (results_[i].bytes <= rooms_[i] || results_[i].bytes > kMaxOutput) continue;
    rooms_[i] = results_[i].bytes;
    grown = true;
  }
  return grown;
}

Result<std::vector<Tensor>> PluginExecutable::run_in_rooms(std::span<const Tensor> inputs,
                                                           const std::stop_token& stop) {
  std::vector<std::shared_ptr<std::vector<std::uint64_t>>> blocks;
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    blocks.push_back(std::make_shared<std::vector<std::uint64_t>>(rooms_[i] / 8 + 1));
    prepare(i, blocks[i]->data(), rooms_[i]);
  }
  INFINIEDGE_TRY(call(inputs, stop));
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    INFINIEDGE_TRY(check_output(i));
    const auto& spec = loaded_->outputs[i];
    const auto data = std::as_bytes(std::span(*blocks[i])).first(results_[i].bytes);
    out.push_back({spec.name, spec.type, shapes_[i], data, blocks[i]});
  }
  return out;
}

}  // namespace

Result<void> Complaint::result(infiniedge_code code, std::string_view plugin) {
  if (code == INFINIEDGE_OK) [[likely]]
    return {};
  text_[sizeof text_ - 1] = 0;
  std::string text = text_;
  if (text.empty()) text = "it gives no reason";
  if (base::find_invalid_text(text)) text = "its reason is not readable text";
  const bool known = code > INFINIEDGE_OK && code <= INFINIEDGE_INTERNAL;
  return Error{known ? static_cast<Code>(static_cast<int>(code) - 1) : Code::Internal,
               fmt::format("backend '{}': {}", plugin, text)};
}

Result<void> describe(Loaded& loaded) {
  infiniedge_description description{};
  description.size = sizeof(infiniedge_description);
  Complaint complaint;
  INFINIEDGE_TRY(complaint.result(
      loaded.table->describe(loaded.model, &description, complaint.out()), loaded.table->name));
  auto inputs = side_of(loaded, description.inputs, description.input_count);
  if (!inputs) return std::move(inputs).error();
  auto outputs = side_of(loaded, description.outputs, description.output_count);
  if (!outputs) return std::move(outputs).error();
  loaded.inputs = std::move(*inputs);
  loaded.outputs = std::move(*outputs);
  loaded.device = description.device != nullptr ? description.device : "cpu";
  loaded.shapes_known = shapes_follow_batch(loaded.inputs, loaded.outputs);
  return {};
}

Result<std::unique_ptr<Executable>> make_executable(std::shared_ptr<const Loaded> loaded) {
  auto out = std::make_unique<PluginExecutable>(std::move(loaded));
  INFINIEDGE_TRY(out->start());
  return out;
}

}  // namespace infiniedge::model::plugin
