// SPDX-License-Identifier: Apache-2.0
#include "model/native/backend.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "model/native/reader.hpp"
#include "model/outputs.hpp"

namespace infiniedge::model::native {
namespace {

constexpr std::uintmax_t kMaxFile = 64U << 20;

class NativeExecutable final : public Executable {
 public:
  explicit NativeExecutable(std::shared_ptr<const Model> model)
      : model_(std::move(model)),
        scratch_(model_->make_scratch()),
        inputs_{{.name = model_->input_name, .shape = {-1, width(model_->features)}}},
        outputs_{{.name = model_->output_name, .shape = {-1, width(model_->values)}}} {}

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  std::string device() const override { return "cpu"; }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs, std::stop_token stop) override {
    if (auto checked = check_input(inputs); !checked) return std::move(checked).error();
    auto block = allocate_outputs(outputs_, inputs[0].shape[0]);
    INFINIEDGE_TRY(run_into(inputs, block.views, std::move(stop)));
    return std::move(block.tensors);
  }

  Result<void> run_into(std::span<const Tensor> inputs, std::span<const OutputView> outputs,
                        std::stop_token stop) override {
    INFINIEDGE_TRY(check_input(inputs));
    const auto rows = inputs[0].shape[0];
    INFINIEDGE_TRY(check_views(outputs_, rows, outputs));
    const auto* from = inputs[0].data.data();
    auto* to = outputs[0].data.data();
    for (std::int64_t row = 0; row < rows; ++row) {
      if (stop.stop_requested()) return Error{Code::Cancelled, "the execution was cancelled"};
      // Neither side need be aligned; the output row fits into the scratch row it was made from.
      std::memcpy(scratch_.row.data(), from, model_->features * sizeof(float));
      model_->evaluate(scratch_, result_.data());
      std::memcpy(to, result_.data(), result_.size() * sizeof(float));
      from += model_->features * sizeof(float);
      to += result_.size() * sizeof(float);
    }
    return {};
  }

  Result<std::unique_ptr<Executable>> another() const override {
    return std::make_unique<NativeExecutable>(model_);
  }

 private:
  static std::int64_t width(std::size_t n) { return static_cast<std::int64_t>(n); }

  Result<void> check_input(std::span<const Tensor> inputs) const {
    if (inputs.size() != 1) {
      return Error{Code::Invalid, fmt::format("{} inputs given, 1 needed", inputs.size())};
    }
    const auto& x = inputs[0];
    if (x.type == DataType::Fp32 && x.shape.size() == 2 && x.shape[0] >= 0 &&
        x.shape[1] == width(model_->features) &&
        x.data.size() == static_cast<std::size_t>(x.elements()) * sizeof(float)) {
      return {};
    }
    return Error{Code::Invalid, fmt::format("input '{}' takes FP32 of shape [n,{}]",
                                            model_->input_name, model_->features)};
  }

  std::shared_ptr<const Model> model_;
  Scratch scratch_;
  std::vector<float> result_ = std::vector<float>(model_->values);
  std::vector<TensorSpec> inputs_, outputs_;
};

Result<std::string> read_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error || !std::filesystem::is_regular_file(file, error)) {
    return Error{Code::NotFound, fmt::format("model file {} does not exist", file.string())};
  }
  if (size > kMaxFile) {
    return Error{Code::Invalid, fmt::format("{} has {} bytes; a native model has at most {}",
                                            file.string(), size, kMaxFile)};
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Error{Code::NotFound, fmt::format("{} cannot be read", file.string())};
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

Result<std::unique_ptr<Executable>> Backend::load(const std::filesystem::path& file,
                                                  const Options&) {
  auto text = read_file(file);
  if (!text) return std::move(text).error();
  auto model = read_model(*text);
  if (!model) {
    return Error{model.error().code(),
                 fmt::format("{}: {}", file.string(), model.error().message())};
  }
  return std::make_unique<NativeExecutable>(std::make_shared<const Model>(std::move(*model)));
}

}  // namespace infiniedge::model::native
