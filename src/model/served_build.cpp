// SPDX-License-Identifier: Apache-2.0
// What happens before a version answers (build, warm-up) and beside it (measuring its cost).
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "model/served.hpp"
#include "model/warmup.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model {
namespace {

using Nanos = std::chrono::nanoseconds;

constexpr int kRuns = 20;
constexpr Nanos kMeasureAtMost = std::chrono::milliseconds{200};
constexpr Micros kStandBack{Millis{20}};

/// A file that is no model is stored bytes gone wrong, not a mistake of whoever asks for it.
Error unreadable(Error error) {
  if (error.code() != Code::Invalid) return error;
  return {Code::Corrupt, "the model file cannot be read", std::move(error)};
}

/// True if zeros() has to invent a dimension: a model may rightly refuse what we came up with.
bool guesses_shapes(const ModelConfig& config) {
  return std::ranges::any_of(config.inputs, [](const auto& io) {
    return std::ranges::any_of(io.dims, [](auto dim) { return dim < 0; });
  });
}

/// Shares what is loaded already where the runtime can.
Result<std::unique_ptr<Executable>> next_instance(const Executable* first,
                                                  const std::filesystem::path& file,
                                                  const Backend::Options& options,
                                                  Backend& backend) {
  if (first == nullptr) return backend.load(file, options);
  auto shared = first->another();
  if (shared || shared.error().code() != Code::Unsupported) return shared;
  return backend.load(file, options);
}

Result<Nanos> time_once(Executable& executable, const std::vector<Tensor>& inputs) {
  const auto start = std::chrono::steady_clock::now();
  auto ran = executable.run(inputs, {});
  if (!ran) return std::move(ran).error();
  return Nanos{std::chrono::steady_clock::now() - start};
}

}  // namespace

Result<std::shared_ptr<Served>> Served::build(ModelConfig config, std::int64_t version,
                                              const std::filesystem::path& file, Backend& backend) {
  std::shared_ptr<Served> out(new Served(std::move(config), version));
  INFINIEDGE_TRY(out->load_instances(file, backend));
  INFINIEDGE_TRY(out->warm_up());
  return out;
}

Result<void> Served::load_instances(const std::filesystem::path& file, Backend& backend) {
  auto config = *config_;
  const Backend::Options options{.threads = config.threads,
                                 .instances = config.instances,
                                 .accelerators = config.accelerators,
                                 .parameters = config.parameters};
  for (int i = 0; i < config.instances; ++i) {
    auto executable =
        next_instance(i == 0 ? nullptr : instances_[0].executable.get(), file, options, backend);
    if (!executable) return unreadable(std::move(executable).error());
    if (i == 0) INFINIEDGE_TRY(complete(config, **executable));
    instances_.push_back({.executable = std::move(*executable)});
  }
  device_ = instances_.front().executable->device();
  fed_ = config.inputs;
  if (config.sequences) INFINIEDGE_TRY(settle_sequences(config));
  cost_ = CostModel(config.batching.enabled ? config.max_batch() : 1);
  config_ = std::make_shared<const ModelConfig>(std::move(config));
  return {};
}

Result<void> Served::settle_sequences(ModelConfig& config) {
  auto layout = SequenceLayout::make(config);
  if (!layout) return std::move(layout).error();
  const auto& sequences = *config.sequences;
  Sequences::Options options;
  if (sequences.strategy == SequenceBatching::Strategy::Direct) {
    options.lanes = static_cast<std::size_t>(config.instances);
    options.slots = static_cast<std::size_t>(config.instances * std::max(1, config.max_batch()));
  } else {
    options.slots = sequences.max_candidates > 0
                        ? static_cast<std::size_t>(sequences.max_candidates)
                        : options.max_sequences;
  }
  auto shared = std::make_shared<const ModelConfig>(config);
  sequences_ = std::make_shared<Sequences>(std::move(shared), std::move(*layout), options);
  return {};
}

Result<std::vector<Tensor>> Served::rehearse(std::size_t instance,
                                             const std::vector<Tensor>& inputs) {
  auto& executable = *instances_[instance].executable;
  if (!sequences_) return executable.run(inputs, {});
  const auto& layout = sequences_->layout();
  auto fed = layout.inputs(inputs, {.start = true}, std::uint64_t{1}, layout.initial());
  if (!fed) return std::move(fed).error();
  auto outputs = executable.run(*fed, {});
  if (outputs) (void)layout.take_states(*outputs);
  return outputs;
}

/// Two runs of one item an instance: the first pays for set-up, the second gives c(1).
Result<void> Served::warm_up() {
  if (!config_->warmups.empty()) return {};  // The loader runs those instead.
  const auto inputs = zero_inputs(fed_, config_->max_batch() > 0, 1);
  for (auto& instance : instances_) {
    auto first = time_once(*instance.executable, inputs);
    if (!first && guesses_shapes(*config_)) {
      runtime::log(runtime::Level::Warning, "model",
                   "no warm-up: the model refuses inputs of the smallest shape; it will be slow "
                   "once. Describe a fitting one in model_warmup",
                   {{"resource", config_->name}, {"reason", first.error().message()}});
      return {};
    }
    if (!first) {
      return Error{first.error().code(),
                   fmt::format("warm-up of '{}' version {} failed", config_->name, version_),
                   std::move(first).error()};
    }
    auto second = time_once(*instance.executable, inputs);
    if (second) cost_.measured(1, *second);
  }
  return {};
}

/// One run at a time and only while nobody waits, so that it is invisible to requests.
Task<void> Served::measure(std::shared_ptr<Served> self) {
  for (const int size : self->cost_.sizes()) {
    // A batch this slow would be felt by whoever comes meanwhile: c(b) stays unknown, b* is 1.
    if (self->cost_.of(size) > kMeasureAtMost) break;
    const auto inputs = zero_inputs(self->fed_, self->config_->max_batch() > 0, size);
    std::vector<Nanos> runs;
    Nanos spent{0};
    while (runs.size() < kRuns && spent < kMeasureAtMost) {
      if (self->retired_) co_return;
      Instance* instance = self->queue_.empty() ? self->idle_instance() : nullptr;
      if (instance == nullptr) {
        if (!co_await self->machinery_->clock.sleep_for(kStandBack)) co_return;
        continue;
      }
      const InFlight counted(*self);
      instance->busy = self->measuring_ = true;
      auto job = [executable = instance->executable.get(), &inputs] {
        return time_once(*executable, inputs);
      };
      auto took = co_await runtime::run_on(self->machinery_->workers, job);
      instance->busy = self->measuring_ = false;
      self->pump();
      if (!took) co_return;  // Such a batch does not run: c(b) stays unknown, and b* is 1.
      runs.push_back(*took);
      spent += *took;
    }
    std::nth_element(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(runs.size() / 2),
                     runs.end());
    self->cost_.measured(size, runs[runs.size() / 2]);
    const auto median = std::chrono::duration<double>(runs[runs.size() / 2]).count();
    self->metrics_->cost(size, median);
  }
  self->measured_ = true;
}

}  // namespace infiniedge::model
