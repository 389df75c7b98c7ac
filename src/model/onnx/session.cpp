// SPDX-License-Identifier: Apache-2.0
#include "model/onnx/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "model/onnx/providers.hpp"
#include "runtime/log.hpp"

namespace infiniedge::model::onnx {
namespace {

using SessionOptions = Owned<OrtSessionOptions, ReleaseSessionOptions>;

/// A parameter that is 0 or 1, or the fallback.
Result<bool> flag(const Backend::Options& options, const std::string& key, bool fallback) {
  const auto found = options.parameters.find(key);
  if (found == options.parameters.end()) return fallback;
  if (found->second == "0" || found->second == "1") return found->second == "1";
  return Error{Code::Invalid,
               fmt::format("parameter {} takes 0 or 1, not '{}'", key, found->second)};
}

Result<void> set_threads(const Library& library, OrtSessionOptions* session, int threads) {
  if (threads > 1 && threads == library.pool_threads()) {
    return library.call<DisablePerSessionThreads>(session);
  }
  // With one thread no pool is made: the execution stays on the thread that asked for it.
  INFINIEDGE_TRY(library.call<SetIntraOpNumThreads>(session, threads));
  return library.call<AddSessionConfigEntry>(session, "session.intra_op.allow_spinning", "0");
}

Result<void> set_memory(const Library& library, OrtSessionOptions* session,
                        const Backend::Options& options) {
  const auto arena = flag(options, "enable_mem_arena", true);
  if (!arena) return arena.error();
  if (*arena) {
    INFINIEDGE_TRY(library.call<AddSessionConfigEntry>(session, "session.use_env_allocators", "1"));
  } else {
    INFINIEDGE_TRY(library.call<DisableCpuMemArena>(session));
  }
  const auto pattern = flag(options, "enable_mem_pattern", true);
  if (!pattern) return pattern.error();
  return *pattern ? Result<void>{} : library.call<DisableMemPattern>(session);
}

/// `dimension.NAME: 4` makes a shape static, which lets the runtime fold and plan more.
Result<void> fix_dimensions(const Library& library, OrtSessionOptions* session,
                            const Backend::Options& options) {
  constexpr std::string_view kPrefix = "dimension.";
  for (const auto& [key, value] : options.parameters) {
    if (!key.starts_with(kPrefix)) continue;
    std::int64_t size = 0;
    const auto* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, size);
    if (error != std::errc{} || stop != end || size < 1) {
      return Error{Code::Invalid,
                   fmt::format("parameter {} takes a size from 1, not '{}'", key, value)};
    }
    INFINIEDGE_TRY(
        library.call<AddFreeDimensionOverrideByName>(session, key.c_str() + kPrefix.size(), size));
  }
  return {};
}

Result<void> configure(const Library& library, OrtSessionOptions* session,
                       const Backend::Options& options) {
  INFINIEDGE_TRY(library.call<SetGraphOptimizationLevel>(session, kOptimiseAll));
  INFINIEDGE_TRY(set_threads(library, session, options.threads));
  INFINIEDGE_TRY(set_memory(library, session, options));
  INFINIEDGE_TRY(fix_dimensions(library, session, options));
  const auto parallel = flag(options, "execution_mode", false);
  if (!parallel) return parallel.error();
  return *parallel ? library.call<SetSessionExecutionMode>(session, 1) : Result<void>{};
}

/// One item of zeros, so that a provider which only fails when it computes is found out.
Result<void> try_out(const std::shared_ptr<Loaded>& loaded) {
  std::vector<Tensor> inputs;
  std::vector<std::vector<std::uint64_t>> memory;
  for (const auto& spec : loaded->inputs) {
    Tensor input{.name = spec.name, .type = spec.type, .shape = spec.shape};
    for (auto& dim : input.shape) dim = dim < 0 ? 1 : dim;
    const auto width = spec.type == DataType::Bytes ? 4 : element_size(spec.type);
    const auto bytes = static_cast<std::size_t>(input.elements()) * width;
    memory.emplace_back(bytes / 8 + 1);
    input.data = std::as_bytes(std::span(memory.back())).first(bytes);
    inputs.push_back(std::move(input));
  }
  auto executable = make_executable(loaded);
  if (!executable) return std::move(executable).error();
  auto ran = (*executable)->run(inputs, {});
  return ran ? Result<void>{} : Result<void>{std::move(ran).error()};
}

/// `accelerator` null: the CPU. `whole`: the accelerator takes every node, or the session fails.
Result<std::shared_ptr<Loaded>> open_on(const LibraryPtr& library,
                                        const std::filesystem::path& file,
                                        const Backend::Options& options,
                                        const Accelerator* accelerator, bool whole) {
  SessionOptions settings(*library);
  INFINIEDGE_TRY(library->call<CreateSessionOptions>(settings.out()));
  INFINIEDGE_TRY(configure(*library, settings.get(), options));
  if (accelerator != nullptr) {
    INFINIEDGE_TRY(append_provider(*library, settings.get(), *accelerator));
    if (whole) {
      INFINIEDGE_TRY(library->call<AddSessionConfigEntry>(settings.get(),
                                                          "session.disable_cpu_ep_fallback", "1"));
    }
  }
  Session session(*library);
  INFINIEDGE_TRY(library->call<CreateSession>(library->env(), file.c_str(),
                                              static_cast<const OrtSessionOptions*>(settings.get()),
                                              session.out()));
  auto loaded = std::make_shared<Loaded>(library, std::move(session));
  INFINIEDGE_TRY(describe(*loaded));
  if (accelerator != nullptr) {
    loaded->device = device_of(*accelerator);
    INFINIEDGE_TRY(try_out(loaded));
  }
  return loaded;
}

void warn(std::string_view what, const Accelerator& accelerator, const std::filesystem::path& file,
          const std::string& reason) {
  runtime::log(runtime::Level::Warning, "model", what,
               {{"accelerator", accelerator.name}, {"file", file.string()}, {"reason", reason}});
}

/// The whole model on the accelerator, else a part of it.
Result<std::shared_ptr<Loaded>> open_on_accelerator(const LibraryPtr& library,
                                                    const std::filesystem::path& file,
                                                    const Backend::Options& options,
                                                    const Accelerator& accelerator) {
  auto whole = open_on(library, file, options, &accelerator, true);
  if (whole) return whole;
  auto part = open_on(library, file, options, &accelerator, false);
  if (!part) return part;
  if ((*part)->device != "cpu") (*part)->device += ",cpu";
  warn("accelerator does not take all of the model", accelerator, file, whole.error().describe());
  return part;
}

}  // namespace

Result<std::shared_ptr<Loaded>> open_model(const LibraryPtr& library,
                                           const std::filesystem::path& file,
                                           const Backend::Options& options) {
  std::vector<Refusal> refusals;
  for (const auto& accelerator : options.accelerators) {
    if (accelerator.name == "cpu") break;
    auto loaded = open_on_accelerator(library, file, options, accelerator);
    if (loaded) {
      (*loaded)->refusals = std::move(refusals);
      return loaded;
    }
    warn("accelerator not used", accelerator, file, loaded.error().describe());
    refusals.push_back({accelerator.name, loaded.error().describe()});
  }
  auto loaded = open_on(library, file, options, nullptr, false);
  if (loaded) (*loaded)->refusals = std::move(refusals);
  return loaded;
}

}  // namespace infiniedge::model::onnx
