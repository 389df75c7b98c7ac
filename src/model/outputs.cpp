// SPDX-License-Identifier: Apache-2.0
#include "model/outputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace infiniedge::model {
namespace {

constexpr std::size_t kAlignment = 64;  // A cache line, and the widest vector register.

bool fixed_behind_first(const TensorSpec& spec) {
  return spec.type != DataType::Bytes && !spec.shape.empty() &&
         std::all_of(spec.shape.begin() + 1, spec.shape.end(), [](auto d) { return d >= 0; });
}

std::size_t bytes_of(const TensorSpec& spec, std::int64_t batch) {
  std::int64_t elements = 1;
  for (const auto dim : spec.shape) elements *= dim < 0 ? batch : dim;
  return static_cast<std::size_t>(elements) * element_size(spec.type);
}

bool has_shape(const TensorSpec& spec, std::int64_t batch, std::span<const std::int64_t> shape) {
  return std::equal(spec.shape.begin(), spec.shape.end(), shape.begin(), shape.end(),
                    [batch](auto want, auto got) { return got == (want < 0 ? batch : want); });
}

}  // namespace

bool shapes_follow_batch(const std::vector<TensorSpec>& inputs,
                         const std::vector<TensorSpec>& outputs) {
  const auto open = [](const TensorSpec& s) { return !s.shape.empty() && s.shape[0] < 0; };
  const auto closed = [](const TensorSpec& s) { return s.shape.empty() || s.shape[0] >= 0; };
  const bool fixed = std::all_of(outputs.begin(), outputs.end(), [](const TensorSpec& s) {
    return s.type != DataType::Bytes && (s.shape.empty() || fixed_behind_first(s));
  });
  if (!fixed) return false;
  if (std::all_of(outputs.begin(), outputs.end(), closed)) return true;
  return !inputs.empty() && std::all_of(inputs.begin(), inputs.end(), open) &&
         std::all_of(outputs.begin(), outputs.end(), open);
}

OutputBlock allocate_outputs(const std::vector<TensorSpec>& specs, std::int64_t batch) {
  struct alignas(kAlignment) Line {
    std::byte bytes[kAlignment];
  };
  const auto lines = [](std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment; };
  std::size_t total = 0;
  for (const auto& spec : specs) total += lines(bytes_of(spec, batch));
  std::shared_ptr<Line[]> block(new Line[total]);  // Uninitialised: every byte is written.
  OutputBlock out;
  out.tensors.reserve(specs.size());
  std::size_t at = 0;
  for (const auto& spec : specs) {
    auto shape = spec.shape;
    if (!shape.empty() && shape[0] < 0) shape[0] = batch;
    const std::span bytes{reinterpret_cast<std::byte*>(block.get() + at), bytes_of(spec, batch)};
    out.tensors.push_back({spec.name, spec.type, std::move(shape), bytes, block});
    out.views.push_back({spec.type, out.tensors.back().shape, bytes});
    at += lines(bytes.size());
  }
  return out;
}

Result<void> check_views(const std::vector<TensorSpec>& specs, std::int64_t batch,
                         std::span<const OutputView> views) {
  if (views.size() != specs.size()) {
    return Error{Code::Invalid,
                 fmt::format("{} outputs given, {} needed", views.size(), specs.size())};
  }
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const auto& view = views[i];
    if (view.type == specs[i].type && has_shape(specs[i], batch, view.shape) &&
        view.data.size() == bytes_of(specs[i], batch)) {
      continue;
    }
    return Error{
        Code::Invalid,
        fmt::format("output '{}' is {} [{}] with a batch of {}, and the memory given is "
                    "{} bytes of {} [{}]",
                    specs[i].name, to_string(specs[i].type), fmt::join(specs[i].shape, ","), batch,
                    view.data.size(), to_string(view.type), fmt::join(view.shape, ","))};
  }
  return {};
}

}  // namespace infiniedge::model
