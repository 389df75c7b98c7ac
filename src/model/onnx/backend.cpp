// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/backend.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "model/onnx/tensors.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model::onnx {
namespace {

using TypeInfo = Owned<OrtTypeInfo, ReleaseTypeInfo>;
using Session = Owned<OrtSession, ReleaseSession>;

class OnnxExecutable final : public Executable {
 public:
  OnnxExecutable(LibraryPtr library, Session session)
      : library_(std::move(library)), session_(std::move(session)), run_options_(*library_) {}

  Result<void> describe() {
    INFINIEDGE_TRY(library_->call<CreateRunOptions>(run_options_.out()));
    INFINIEDGE_TRY(
        (describe_side<SessionGetInputCount, SessionGetInputName, SessionGetInputTypeInfo>(
            inputs_, input_names_)));
    return describe_side<SessionGetOutputCount, SessionGetOutputName, SessionGetOutputTypeInfo>(
        outputs_, output_names_);
  }

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  std::string device() const override { return "cpu"; }
  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs, std::stop_token stop) override;

 private:
  template <class Count, class Name, class Info>
  Result<void> describe_side(std::vector<TensorSpec>& specs, std::vector<const char*>& names) {
    const OrtSession* session = session_.get();
    std::size_t count = 0;
    INFINIEDGE_TRY(library_->call<Count>(session, &count));
    specs.reserve(count);  // `names` points into it.
    for (std::size_t i = 0; i < count; ++i) {
      char* name = nullptr;
      INFINIEDGE_TRY(library_->call<Name>(session, i, library_->allocator(), &name));
      TensorSpec spec{.name = name};
      (void)library_->call<AllocatorFree>(library_->allocator(), static_cast<void*>(name));
      TypeInfo info(*library_);
      INFINIEDGE_TRY(library_->call<Info>(session, i, info.out()));
      INFINIEDGE_TRY(read_type(info.get(), spec));
      specs.push_back(std::move(spec));
      names.push_back(specs.back().name.c_str());
    }
    return {};
  }
  Result<void> read_type(const OrtTypeInfo* info, TensorSpec& spec) const;
  Result<void> call_session(const std::vector<const OrtValue*>& values,
                            std::vector<OrtValue*>& results, const std::stop_token& stop);

  LibraryPtr library_;
  Session session_;
  Owned<OrtRunOptions, ReleaseRunOptions> run_options_;
  std::vector<TensorSpec> inputs_, outputs_;
  std::vector<const char*> input_names_, output_names_;
};

Result<void> OnnxExecutable::read_type(const OrtTypeInfo* info, TensorSpec& spec) const {
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  INFINIEDGE_TRY(library_->call<CastTypeInfoToTensorInfo>(info, &tensor));
  if (tensor == nullptr) {
    return Error{Code::Unsupported,
                 fmt::format("'{}' is a sequence, map or optional; only tensors are served. Export "
                             "the model with tensor outputs (scikit-learn: zipmap=False)",
                             spec.name)};
  }
  int element = 0;
  std::size_t rank = 0;
  INFINIEDGE_TRY(library_->call<GetTensorElementType>(tensor, &element));
  INFINIEDGE_TRY(library_->call<GetDimensionsCount>(tensor, &rank));
  spec.shape.resize(rank);
  INFINIEDGE_TRY(library_->call<GetDimensions>(tensor, spec.shape.data(), rank));
  const auto type = type_from(element);
  if (!type) {
    return Error{Code::Unsupported, fmt::format("'{}' has element type {}, which has no OIP name",
                                                spec.name, element)};
  }
  spec.type = *type;
  return {};
}

Result<void> OnnxExecutable::call_session(const std::vector<const OrtValue*>& values,
                                          std::vector<OrtValue*>& results,
                                          const std::stop_token& stop) {
  // A Run that was told to stop fails with code 1 like any other: our own token tells them apart.
  auto* options = run_options_.get();
  const auto terminate = [this, options] { (void)library_->call<RunOptionsSetTerminate>(options); };
  Result<void> ran;
  {
    std::stop_callback watch(stop, terminate);
    ran = library_->call<RunSession>(session_.get(), static_cast<const OrtRunOptions*>(options),
                                     input_names_.data(), values.data(), values.size(),
                                     output_names_.data(), output_names_.size(), results.data());
  }
  if (stop.stop_requested()) {
    (void)library_->call<RunOptionsUnsetTerminate>(options);
    if (!ran) return Error{Code::Cancelled, "the execution was cancelled"};
  }
  return ran;
}

Result<std::vector<Tensor>> OnnxExecutable::run(std::span<const Tensor> inputs,
                                                std::stop_token stop) {
  if (inputs.size() != inputs_.size()) {
    return Error{Code::Invalid,
                 fmt::format("{} inputs given, {} needed", inputs.size(), inputs_.size())};
  }
  std::vector<Value> owned;
  std::vector<std::shared_ptr<const void>> copies(inputs.size());
  std::vector<const OrtValue*> values;
  owned.reserve(inputs.size());
  values.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    owned.emplace_back(*library_);
    INFINIEDGE_TRY(to_value(*library_, inputs[i], copies[i], owned.back()));
    values.push_back(owned.back().get());
  }
  std::vector<OrtValue*> results(outputs_.size(), nullptr);
  auto ran = call_session(values, results, stop);
  std::vector<Value> produced;  // Frees what a failed run may have left.
  produced.reserve(results.size());
  for (auto* result : results) {
    produced.emplace_back(*library_);
    *produced.back().out() = result;
  }
  if (!ran) return std::move(ran).error();
  std::vector<Tensor> out;
  out.reserve(produced.size());
  for (std::size_t i = 0; i < produced.size(); ++i) {
    auto tensor = to_tensor(library_, outputs_[i].name, std::move(produced[i]));
    if (!tensor) return std::move(tensor).error();
    out.push_back(std::move(*tensor));
  }
  return out;
}

Result<void> configure(const Library& library, OrtSessionOptions* options, int threads) {
  INFINIEDGE_TRY(library.call<SetGraphOptimizationLevel>(options, kOptimiseAll));
  if (threads > 1 && library.pool_threads() > 1) {
    return library.call<DisablePerSessionThreads>(options);
  }
  // With one thread no pool is made: the execution stays on the thread that asked for it.
  INFINIEDGE_TRY(library.call<SetIntraOpNumThreads>(options, threads));
  return library.call<AddSessionConfigEntry>(options, "session.intra_op.allow_spinning", "0");
}

}  // namespace

Result<LibraryPtr> Backend::library() {
  const std::lock_guard lock(mutex_);
  if (!library_) {
    auto loaded = Library::load(options_);
    if (!loaded) return std::move(loaded).error();
    library_ = std::move(*loaded);
    runtime::log(runtime::Level::Info, "model", "ONNX Runtime loaded",
                 {{"version", library_->version()}, {"path", library_->path()}});
  }
  return library_;
}

Result<std::unique_ptr<Executable>> Backend::load(const std::filesystem::path& file,
                                                  const Options& options) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return Error{Code::NotFound, fmt::format("model file {} does not exist", file.string())};
  }
  auto found = library();
  if (!found) return std::move(found).error();
  const auto& library = *found;
  Owned<OrtSessionOptions, ReleaseSessionOptions> settings(*library);
  INFINIEDGE_TRY(library->call<CreateSessionOptions>(settings.out()));
  INFINIEDGE_TRY(configure(*library, settings.get(), options.threads));
  Session session(*library);
  auto created = library->call<CreateSession>(library->env(), file.c_str(),
                                              static_cast<const OrtSessionOptions*>(settings.get()),
                                              session.out());
  if (!created) {
    const auto code = created.error().code();
    return Error{code == Code::Internal ? Code::Invalid : code,
                 fmt::format("{} cannot be loaded", file.string()), std::move(created).error()};
  }
  auto executable = std::make_unique<OnnxExecutable>(library, std::move(session));
  INFINIEDGE_TRY(executable->describe());
  return executable;
}

}  // namespace infiniedge::model::onnx
